package org.anyir.demo.photo

import android.graphics.Bitmap
import android.graphics.ColorSpace
import android.graphics.Rect
import org.anyir.core.PhotoSource
import org.anyir.core.Region
import java.io.File

/**
 * A photo upright, tile by tile. A decoder starts at the file's beginning for every region, so a whole band of rows is
 * decoded at once and kept for the tiles that lie in it.
 *
 * @param sample 1, or 2 for half the width and height
 * @param grey whether the file has one colour channel
 */
internal class UprightSource(
    private val regions: Regions,
    private val orientation: Orientation,
    private val sample: Int = 1,
    override val grey: Boolean = false,
) : PhotoSource {
    override val width: Int = maxOf(1, (if (orientation.swaps) regions.height else regions.width) / sample)
    override val height: Int = maxOf(1, (if (orientation.swaps) regions.width else regions.height) / sample)

    private val fileWidth = if (orientation.swaps) height else width
    private val fileHeight = if (orientation.swaps) width else height
    private var band: Bitmap? = null
    private var bandTop = 0
    private var bandBottom = 0
    private var part = IntArray(0)

    /** Of the pixels that [read] gives. Known after the first. */
    var colours: ColorSpace = Colours.SRGB
        private set

    /** Whether any pixel can be transparent. Known after the first [read]. */
    var alpha: Boolean = false
        private set

    override fun read(region: Region, argb: IntArray) {
        if (region.y < bandTop || region.y + region.height > bandBottom) decodeBand(region.y, region.height)
        val rows = bandRows(region.y, region.height, region.x, region.width)
        val size = region.width * region.height
        if (part.size < size) part = IntArray(size)
        val origin = bandRows(bandTop, bandBottom - bandTop, 0, width)
        val x = rows.left - origin.left
        val y = rows.top - origin.top
        band!!.getPixels(part, 0, rows.width(), x, y, rows.width(), rows.height())
        orientation.upright(part, region.width, region.height, argb)
    }

    private fun bandRows(y: Int, rows: Int, x: Int, columns: Int): Rect =
        orientation.inFile(Rect(x, y, x + columns, y + rows), fileWidth, fileHeight)

    private fun decodeBand(top: Int, rows: Int) {
        band?.recycle()
        band = null
        val area = bandRows(top, rows, 0, width)
        val inFile = Rect(area.left * sample, area.top * sample, area.right * sample, area.bottom * sample)
        inFile.intersect(0, 0, regions.width, regions.height)
        val bitmap = regions.decode(inFile, sample)
        colours = Colours.takeOff(bitmap)
        alpha = bitmap.hasAlpha()
        val fits = bitmap.width == area.width() && bitmap.height == area.height()
        band = if (fits) bitmap else fit(bitmap, area.width(), area.height()).also { bitmap.recycle() }
        bandTop = top
        bandBottom = top + rows
    }

    /** Decoders round a sampled part's size up or down: the last row and column are repeated or left out. */
    private fun fit(bitmap: Bitmap, width: Int, height: Int): Bitmap {
        val fitted = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888, bitmap.hasAlpha())
        fitted.isPremultiplied = bitmap.isPremultiplied
        val row = IntArray(maxOf(width, bitmap.width))
        for (y in 0 until height) {
            bitmap.getPixels(row, 0, row.size, 0, minOf(y, bitmap.height - 1), bitmap.width, 1)
            row.fill(row[bitmap.width - 1], bitmap.width, row.size)
            fitted.setPixels(row, 0, row.size, 0, y, width, 1)
        }
        return fitted
    }

    override fun close() {
        band?.recycle()
        regions.close()
    }

    companion object {
        /** Opens [photo], at half its size where [half] says so. */
        fun open(photo: PhotoInfo, half: Boolean): UprightSource {
            val grey = FileFacts.read(photo.file).grey
            return UprightSource(Regions.open(photo.file), Orientation(photo.orientation), if (half) 2 else 1, grey)
        }

        /** Opens a result, which lies upright. */
        fun open(result: File): UprightSource = UprightSource(Regions.open(result), Orientation(1))
    }
}
