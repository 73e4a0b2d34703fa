package org.anyir.demo.ui

import android.content.Context
import android.content.res.Resources
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Rect
import org.anyir.demo.R
import org.anyir.demo.photo.PhotoInfo
import org.anyir.demo.photo.UprightImage
import org.anyir.demo.photo.sampleUri
import org.anyir.demo.restore.RestoredPhoto
import java.io.IOException

/** What the screen shows of a photo and, once there is one, its result; before there is a photo, the sample. */
fun picturesOf(photo: PhotoInfo?, result: RestoredPhoto?, context: Context): Pictures {
    if (photo == null) {
        val sample = ResourceImage(context.resources, R.raw.sample)
        val name = context.getString(R.string.sample_name)
        return Pictures(SAMPLE, SAMPLE, name, sample.width, sample.height, { sample }, null)
    }
    val restored: (() -> RegionImage)? = result?.let { { FileImage(UprightImage.of(it.file)) } }
    // Every photo and result that is kept has a file name of its own.
    val key = listOfNotNull(photo.file, result?.file).joinToString { it.name }
    val identity = if (photo.uri == sampleUri(context)) SAMPLE else photo.file.name
    return Pictures(key, identity, photo.name, photo.width, photo.height, {
        FileImage(UprightImage.of(photo))
    }, restored)
}

/** What the sample is called before it is chosen, and after. */
private const val SAMPLE = "sample"

private class FileImage(private val image: UprightImage) : RegionImage {
    override val width: Int get() = image.width
    override val height: Int get() = image.height

    override fun decode(region: Rect, sample: Int): Bitmap = image.decode(region, sample)

    override fun close() = image.close()
}

/** A small picture among the app's resources. */
class ResourceImage(private val resources: Resources, private val id: Int) : RegionImage {
    private val bounds = BitmapFactory.Options().apply {
        inJustDecodeBounds = true
        inScaled = false
    }

    init {
        BitmapFactory.decodeResource(resources, id, bounds)
    }

    override val width: Int get() = bounds.outWidth
    override val height: Int get() = bounds.outHeight

    override fun decode(region: Rect, sample: Int): Bitmap {
        val options = BitmapFactory.Options().apply {
            inScaled = false
            inSampleSize = sample
        }
        val whole = BitmapFactory.decodeResource(resources, id, options) ?: throw IOException("a resource is missing")
        val (left, top) = Pair(region.left / sample, region.top / sample)
        val columns = (region.width() / sample).coerceIn(1, whole.width - left)
        val rows = (region.height() / sample).coerceIn(1, whole.height - top)
        return Bitmap.createBitmap(whole, left, top, columns, rows)
    }

    override fun close() = Unit
}
