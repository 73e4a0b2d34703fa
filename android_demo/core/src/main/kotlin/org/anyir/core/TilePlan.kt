package org.anyir.core

/** The part of the photo that one tile covers, in pixels from the top left corner. */
data class Region(val x: Int, val y: Int, val width: Int, val height: Int)

/** Height and width of a tile in pixels; both are the [side] of a square one. */
data class TileSize(val height: Int, val width: Int) {
    constructor(side: Int) : this(side, side)

    val shorter: Int get() = minOf(height, width)

    val pixels: Int get() = height * width

    /** "192x320"; "256" of a square. */
    override fun toString(): String = if (height == width) "$height" else "${height}x$width"
}

/**
 * How a photo is cut into tiles, row by row from the top left, and the weights that blend them.
 *
 * A function of its four arguments alone, the same as in Python: docs/reference/tile_plans.md states the rules. A side
 * that is shorter than the tile is covered by one tile, filled up by [reflectIndices].
 *
 * @param width of the photo in pixels, at least 1
 * @param height of the photo in pixels, at least 1
 * @param overlap pixels that neighbours share, at most half a tile's shorter side; the last tiles may share more
 * @throws IllegalArgumentException a value out of its range
 */
class TilePlan(val width: Int, val height: Int, val tile: TileSize, val overlap: Int) {
    init {
        require(width >= 1 && height >= 1 && tile.shorter >= 1) {
            "no tiles of $tile for ${width}x$height: all must be positive"
        }
        val half = tile.shorter / 2
        require(overlap in 0..half) { "overlap $overlap is not in 0..$half, half the tile" }
    }

    /** x of every tile in a row. */
    val columns: IntArray = axisStarts(width, tile.width, overlap)

    /** y of every row of tiles. */
    val rows: IntArray = axisStarts(height, tile.height, overlap)

    /** For every entry of [columns], the weight of each of its pixels along x. */
    val columnWeights: List<DoubleArray> by lazy { axisWeights(width, tile.width, overlap) }

    /** For every entry of [rows], the weight of each of its pixels along y. */
    val rowWeights: List<DoubleArray> by lazy { axisWeights(height, tile.height, overlap) }

    /** The number of tiles. */
    val size: Int get() = columns.size * rows.size

    /** Every tile's part of the photo, row by row. */
    fun regions(): Sequence<Region> {
        val across = minOf(tile.width, width)
        val down = minOf(tile.height, height)
        return rows.asSequence().flatMap { y -> columns.asSequence().map { x -> Region(x, y, across, down) } }
    }
}

/** First pixel of every tile along one side: steps of `tile - overlap`, the last shifted inwards. */
fun axisStarts(length: Int, tile: Int, overlap: Int): IntArray {
    if (length <= tile) return intArrayOf(0)
    val step = tile - overlap
    val last = length - tile
    val steps = (last + step - 1) / step
    return IntArray(steps + 1) { if (it < steps) it * step else last }
}

/**
 * Blending weights of every tile along one side, each min(tile, length) long; they sum to 1 a pixel.
 *
 * A tile's window rises over its first [overlap] pixels and falls over its last ones, but not at the photo's
 * own borders. Windows are then divided by their sum.
 */
fun axisWeights(length: Int, tile: Int, overlap: Int): List<DoubleArray> {
    val starts = axisStarts(length, tile, overlap)
    val size = minOf(tile, length)
    val total = DoubleArray(length)
    val windows = starts.map { start ->
        val window = DoubleArray(size) { 1.0 }
        for (i in 0 until overlap) {
            val ramp = (i + 0.5) / overlap
            if (start > 0) window[i] = ramp
            if (start + size < length) window[size - 1 - i] = ramp
        }
        for (i in 0 until size) total[start + i] += window[i]
        window
    }
    for ((start, window) in starts.zip(windows)) {
        for (i in 0 until size) window[i] /= total[start + i]
    }
    return windows
}

/**
 * Which of [length] pixels each of [size] places shows: 0 1 2 3 2 1 0 1 ... (the edge once). A side of one
 * pixel repeats it.
 */
fun reflectIndices(length: Int, size: Int): IntArray {
    val period = maxOf(2 * (length - 1), 1)
    return IntArray(size) {
        val place = it % period
        if (place < length) place else period - place
    }
}
