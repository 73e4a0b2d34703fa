package org.anyir.demo.photo

import android.graphics.Matrix
import android.graphics.Rect

/**
 * EXIF's eight ways in which a picture can lie in its file, as what makes it upright: swap x and y or not, then count
 * each of the file's axes from its end or not.
 *
 * @param exif 1..8
 */
internal class Orientation(exif: Int) {
    /** Whether the upright picture is as wide as the file's is high. */
    val swaps: Boolean = exif in 5..8
    private val fromRight = exif in setOf(2, 3, 7, 8)
    private val fromBottom = exif in setOf(3, 4, 6, 7)

    /** Where [area] of the upright picture lies in the file's, which is [width] x [height]. */
    fun inFile(area: Rect, width: Int, height: Int): Rect {
        val turned = if (swaps) Rect(area.top, area.left, area.bottom, area.right) else Rect(area)
        return Rect(
            if (fromRight) width - turned.right else turned.left,
            if (fromBottom) height - turned.bottom else turned.top,
            if (fromRight) width - turned.left else turned.right,
            if (fromBottom) height - turned.top else turned.bottom,
        )
    }

    /** Puts the pixels of a part of the file, row by row, upright: [width] x [height] of them, upright, into [to]. */
    fun upright(from: IntArray, width: Int, height: Int, to: IntArray) {
        val fileWidth = if (swaps) height else width
        val fileHeight = if (swaps) width else height
        for (y in 0 until height) {
            for (x in 0 until width) {
                val column = if (swaps) y else x
                val row = if (swaps) x else y
                val fileX = if (fromRight) fileWidth - 1 - column else column
                val fileY = if (fromBottom) fileHeight - 1 - row else row
                to[y * width + x] = from[fileY * fileWidth + fileX]
            }
        }
    }

    /** The same for drawing; null where nothing is to be done. */
    fun matrix(): Matrix? {
        if (!swaps && !fromRight && !fromBottom) return null
        val matrix = Matrix()
        matrix.setScale(if (fromRight) -1f else 1f, if (fromBottom) -1f else 1f)
        if (swaps) {
            val swap = Matrix()
            swap.setValues(floatArrayOf(0f, 1f, 0f, 1f, 0f, 0f, 0f, 0f, 1f))
            matrix.postConcat(swap)
        }
        return matrix
    }
}
