package org.anyir.demo.photo

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.BitmapRegionDecoder
import android.graphics.ColorSpace
import android.graphics.Rect
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadow.api.Shadow
import java.io.IOException

/**
 * Robolectric has Android's decoders for whole pictures, but a decoder by regions that gives empty ones. This one cuts
 * from the whole picture, so that the app's own code meets real pixels, and refuses the formats that Android's does.
 */
@Implements(BitmapRegionDecoder::class)
class RegionDecoderShadow {
    private lateinit var path: String
    private var width = 0
    private var height = 0

    @Implementation
    protected fun getWidth() = width

    @Implementation
    protected fun getHeight() = height

    @Implementation
    protected fun isRecycled() = false

    @Implementation
    protected fun recycle() = Unit

    @Implementation
    protected fun decodeRegion(area: Rect, options: BitmapFactory.Options): Bitmap {
        require(area.left >= 0 && area.top >= 0 && area.right <= width && area.bottom <= height && !area.isEmpty) {
            "$area"
        }
        val sample = maxOf(1, options.inSampleSize)
        options.inSampleSize = 1
        val whole = BitmapFactory.decodeFile(path, options)
        options.inSampleSize = sample
        val colours = whole.colorSpace!!
        whole.setColorSpace(ColorSpace.get(ColorSpace.Named.SRGB))
        val pixels = IntArray(area.width() * area.height())
        whole.getPixels(pixels, 0, area.width(), area.left, area.top, area.width(), area.height())
        val columns = (area.width() + sample - 1) / sample
        val rows = (area.height() + sample - 1) / sample
        val part = Bitmap.createBitmap(columns, rows, Bitmap.Config.ARGB_8888, whole.hasAlpha())
        part.isPremultiplied = whole.isPremultiplied
        val sampled = IntArray(columns * rows) { pixels[it / columns * sample * area.width() + it % columns * sample] }
        part.setPixels(sampled, 0, columns, 0, 0, columns, rows)
        part.setColorSpace(colours)
        return part
    }

    companion object {
        @JvmStatic
        @Implementation
        fun newInstance(path: String, shareable: Boolean): BitmapRegionDecoder {
            val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
            BitmapFactory.decodeFile(path, bounds)
            if (bounds.outMimeType !in
                setOf("image/jpeg", "image/png", "image/webp")
            ) {
                throw IOException("not by regions")
            }
            return Shadow.newInstanceOf(BitmapRegionDecoder::class.java).also {
                val shadow = Shadow.extract<RegionDecoderShadow>(it)
                shadow.path = path
                shadow.width = bounds.outWidth
                shadow.height = bounds.outHeight
            }
        }
    }
}
