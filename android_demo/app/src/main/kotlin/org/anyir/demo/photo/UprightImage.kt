package org.anyir.demo.photo

import android.graphics.Bitmap
import android.graphics.Rect
import java.io.Closeable
import java.io.File

/** A photo or a result for the screen: upright, part by part, in its own colours. One thread at a time. */
class UprightImage private constructor(private val regions: Regions, private val orientation: Orientation) : Closeable {
    /** In pixels, upright. */
    val width: Int = if (orientation.swaps) regions.height else regions.width

    /** In pixels, upright. */
    val height: Int = if (orientation.swaps) regions.width else regions.height

    /**
     * Decodes a part, ready to be drawn.
     *
     * @param area inside the picture, in its pixels
     * @param sample 1, 2, 4, ...: one pixel is made of sample x sample
     * @throws PhotoException it cannot be decoded
     */
    fun decode(area: Rect, sample: Int): Bitmap {
        val part = regions.decode(orientation.inFile(area, regions.width, regions.height), sample)
        val matrix = orientation.matrix() ?: return part
        return Bitmap.createBitmap(part, 0, 0, part.width, part.height, matrix, false)
    }

    override fun close() = regions.close()

    companion object {
        /** The photo that was chosen. Throws [PhotoException]. */
        fun of(photo: PhotoInfo) = open(photo.file, photo.orientation)

        /** A result's file, which lies upright. Throws [PhotoException]. */
        fun of(result: File) = open(result, orientation = 1)

        private fun open(file: File, orientation: Int) =
            UprightImage(Regions.open(file, premultiplied = true), Orientation(orientation))
    }
}
