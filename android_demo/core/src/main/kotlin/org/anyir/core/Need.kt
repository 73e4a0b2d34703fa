package org.anyir.core

import java.nio.FloatBuffer
import kotlin.math.sqrt

/** What a photo can have too much of. */
enum class Fault { LOW_LIGHT, HAZE, NOISE, BLUR }

/**
 * How much a photo needs to be restored, and by what it differs: what restoring changes, of 255, on the sheet of crops
 * that stands for it. The same numbers as Python's `Restorer.need`, and the same bounds.
 *
 * @property change root of the mean square of all changes
 * @property brightness change of the mean: above 0 where darkness is lifted, below where haze or rain go
 * @property contrast change of the standard deviation of the 8x8 pixels' means: above 0 where haze goes
 * @property detail change of the standard deviation around these means: below 0 where noise or streaks go, above where
 * blur does
 */
data class Need(val change: Double, val brightness: Double, val contrast: Double, val detail: Double) {
    /** Whether the change is more than what photos without a fault come to. */
    val needed: Boolean get() = change >= NEEDED

    /** What restoring takes away; nothing of a photo that is fine, or where it is none of these. */
    val faults: List<Fault>
        get() {
            if (!needed) return emptyList()
            val lighter = brightness >= LIGHTER
            val clearer = contrast >= CLEARER && !lighter
            return buildList {
                if (lighter) add(Fault.LOW_LIGHT)
                if (clearer) add(Fault.HAZE)
                if (detail <= -FINER) add(Fault.NOISE)
                // More light and more contrast are more detail too.
                if (detail >= FINER && !lighter && !clearer) add(Fault.BLUR)
            }
        }

    companion object {
        /** Change of a photo, of 255, below which it is taken for fine. */
        const val NEEDED = 2.5

        /** Change of brightness from which on darkness was lifted. */
        private const val LIGHTER = 5.0

        /** Change of contrast from which on a veil went, of haze, rain or snow, if no darkness did. */
        private const val CLEARER = 1.0

        /** Change of detail, either way, from which on noise or blur went. */
        private const val FINER = 0.5

        /**
         * What differs between two images, of which the top left [width] x [height] pixels count.
         *
         * @param before 3 planes of a tile's values from index 0, clamped to 0..1 here
         * @param after the same
         */
        fun between(before: FloatBuffer, after: FloatBuffer, tile: TileSize, width: Int, height: Int): Need {
            require(width in 1..tile.width && height in 1..tile.height) { "${width}x$height in a tile of $tile" }
            val old = Measured(before, tile, width, height)
            val new = Measured(after, tile, width, height)
            var squares = 0.0
            for (c in 0..2) {
                for (y in 0 until height) {
                    val row = c * tile.pixels + y * tile.width
                    for (i in row until row + width) {
                        val difference = level(after.get(i)) - level(before.get(i))
                        squares += difference * difference
                    }
                }
            }
            return Need(
                hundredths(sqrt(squares / (3 * width * height))),
                hundredths(new.mean - old.mean),
                hundredths(new.coarse - old.coarse),
                hundredths(new.fine - old.fine),
            )
        }

        /** Adding 0 makes a zero of -0. */
        private fun hundredths(value: Double) = Math.rint(100 * value) / 100 + 0.0
    }
}

private fun level(value: Float): Double = 255.0 * value.coerceIn(0f, 1f)

/** An image's mean, and the standard deviations of its cells' mean luma and of the luma around these means. */
private class Measured(image: FloatBuffer, tile: TileSize, width: Int, height: Int) {
    val mean: Double
    val coarse: Double
    val fine: Double

    init {
        val plane = tile.pixels
        var sum = 0.0
        for (c in 0..2) {
            for (y in 0 until height) {
                for (x in 0 until width) sum += level(image.get(c * plane + y * tile.width + x))
            }
        }
        mean = sum / (3 * width * height)
        // Where a side is shorter than a cell, so are the cells; what is left beside whole cells counts for nothing.
        val across = minOf(CELL, width)
        val down = minOf(CELL, height)
        val luma = DoubleArray(across * down)
        val means = DoubleArray(width / across * (height / down))
        var around = 0.0
        for (cell in means.indices) {
            val corner = cell / (width / across) * down * tile.width + cell % (width / across) * across
            for (i in luma.indices) {
                val place = corner + i / across * tile.width + i % across
                luma[i] = RED * level(image.get(place)) + GREEN * level(image.get(plane + place)) +
                    BLUE * level(image.get(2 * plane + place))
            }
            means[cell] = luma.average()
            around += luma.sumOf { (it - means[cell]) * (it - means[cell]) }
        }
        val middle = means.average()
        coarse = sqrt(means.sumOf { (it - middle) * (it - middle) } / means.size)
        fine = sqrt(around / (means.size * luma.size))
    }

    private companion object {
        /** Pixels a side of the cells whose means are what is not detail. */
        const val CELL = 8
        const val RED = 0.299
        const val GREEN = 0.587
        const val BLUE = 0.114
    }
}
