package org.anyir.demo.photo

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.BitmapRegionDecoder
import android.graphics.ColorSpace
import android.graphics.Rect
import org.anyir.demo.R
import java.io.Closeable
import java.io.File
import java.io.IOException

/** The picture in a file as it lies there, decoded part by part. One thread at a time. */
internal interface Regions : Closeable {
    val width: Int
    val height: Int

    /** Whether the whole picture is decoded at once, as there is no decoder by regions for its format. */
    val whole: Boolean

    /**
     * Decodes a part into a bitmap of its own, of about the width and height of [area] divided by [sample], in the
     * file's own colours.
     *
     * @param area inside the picture
     * @param sample 1, 2, 4, ...: one pixel is made of sample x sample
     * @throws PhotoException it cannot be decoded, or there is not enough memory
     */
    fun decode(area: Rect, sample: Int): Bitmap

    companion object {
        /**
         * Opens a picture: by regions where Android can (JPEG, PNG, WebP, on newer systems HEIF and AVIF), else whole,
         * which takes 4 bytes a pixel.
         *
         * @param premultiplied as drawing wants it; else colours under transparency stay exact
         */
        fun open(file: File, premultiplied: Boolean = false): Regions {
            val bounds = PhotoBounds.read(file)
            val decoder = try {
                @Suppress("DEPRECATION") // its successor is of API 31
                BitmapRegionDecoder.newInstance(file.path, false)
            } catch (_: IOException) {
                null
            }
            if (decoder == null) return WholeRegions(file, bounds, premultiplied)
            return PartRegions(decoder, premultiplied)
        }
    }
}

/** Size and colours of a picture, without its pixels. */
internal class PhotoBounds(val width: Int, val height: Int, val colours: ColorSpace?) {
    companion object {
        fun read(file: File): PhotoBounds {
            val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
            BitmapFactory.decodeFile(file.path, options)
            if (options.outWidth <= 0 || options.outHeight <= 0) throw PhotoException(R.string.photo_cannot_decode)
            return PhotoBounds(options.outWidth, options.outHeight, options.outColorSpace)
        }
    }
}

private class PartRegions(private val decoder: BitmapRegionDecoder, private val premultiplied: Boolean) : Regions {
    override val width: Int = decoder.width
    override val height: Int = decoder.height
    override val whole = false

    override fun decode(area: Rect, sample: Int): Bitmap =
        decoding { decoder.decodeRegion(area, options(sample, premultiplied)) }

    override fun close() = decoder.recycle()
}

/** For formats without a decoder by regions. The whole picture is kept, at the sample that was asked for last. */
private class WholeRegions(
    private val file: File,
    bounds: PhotoBounds,
    private val premultiplied: Boolean,
) : Regions {
    override val width: Int = bounds.width
    override val height: Int = bounds.height
    override val whole = true
    private var decoded: Bitmap? = null
    private var sampled = 0
    private var colours = Colours.SRGB

    override fun decode(area: Rect, sample: Int): Bitmap {
        val picture = decoded?.takeIf { sample == sampled } ?: decoding {
            decoded?.recycle()
            decoded = null
            BitmapFactory.decodeFile(file.path, options(sample, premultiplied))
        }.also {
            decoded = it
            sampled = sample
            colours = Colours.takeOff(it)
        }
        val left = area.left / sample
        val top = area.top / sample
        val right = minOf(picture.width, maxOf(left + 1, area.right / sample))
        val bottom = minOf(picture.height, maxOf(top + 1, area.bottom / sample))
        if (left >= right || top >= bottom) throw PhotoException(R.string.photo_cannot_decode)
        return decoding { cut(picture, Rect(left, top, right, bottom)) }
    }

    override fun close() {
        decoded?.recycle()
        decoded = null
    }

    /** A copy of its own, which the caller may change; Android's own call may return the picture itself. */
    private fun cut(picture: Bitmap, area: Rect): Bitmap {
        val pixels = IntArray(area.width() * area.height())
        picture.getPixels(pixels, 0, area.width(), area.left, area.top, area.width(), area.height())
        val part = Bitmap.createBitmap(area.width(), area.height(), Bitmap.Config.ARGB_8888, picture.hasAlpha())
        part.isPremultiplied = premultiplied
        part.setPixels(pixels, 0, area.width(), 0, 0, area.width(), area.height())
        return part.also { Colours.putOn(it, colours) }
    }
}

private fun options(sample: Int, premultiplied: Boolean) = BitmapFactory.Options().apply {
    inSampleSize = sample
    inPremultiplied = premultiplied
    inPreferredConfig = Bitmap.Config.ARGB_8888
    if (!Colours.canBeKept) inPreferredColorSpace = Colours.SRGB
}

/** [decode]'s bitmap; every way in which Android's decoders fail as a [PhotoException]. */
private fun decoding(decode: () -> Bitmap?): Bitmap = try {
    decode() ?: throw PhotoException(R.string.photo_cannot_decode)
} catch (error: OutOfMemoryError) {
    throw PhotoException(R.string.photo_no_memory, error)
} catch (error: RuntimeException) {
    throw PhotoException(R.string.photo_cannot_decode, error)
}
