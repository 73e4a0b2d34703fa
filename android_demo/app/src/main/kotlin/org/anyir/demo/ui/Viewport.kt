package org.anyir.demo.ui

import kotlin.math.max
import kotlin.math.min

/**
 * Which part of a photo a view shows, and how large: pure arithmetic, without a view.
 *
 * A point of the photo (x, y), in photo pixels, is shown at (x * [scale] + [left], y * [scale] + [top]) in the view.
 * The photo never leaves the view: where it is smaller it is centred, where it is larger no gap is shown.
 */
class Viewport {
    var viewWidth = 0
        private set
    var viewHeight = 0
        private set
    var photoWidth = 0
        private set
    var photoHeight = 0
        private set

    /** View pixels for one photo pixel. */
    var scale = 1f
        private set
    var left = 0f
        private set
    var top = 0f
        private set

    val isEmpty: Boolean get() = viewWidth <= 0 || viewHeight <= 0 || photoWidth <= 0 || photoHeight <= 0

    /** The scale at which the whole photo is seen. */
    val fitScale: Float
        get() = if (isEmpty) 1f else min(viewWidth.toFloat() / photoWidth, viewHeight.toFloat() / photoHeight)

    /** Eight view pixels a photo pixel, or four times the whole photo where that is larger. */
    val maxScale: Float get() = max(8f, 4 * fitScale)

    val zoomed: Boolean get() = scale > fitScale * 1.01f

    /** How many times larger than the whole photo. */
    val zoom: Float get() = scale / fitScale

    val right: Float get() = left + photoWidth * scale
    val bottom: Float get() = top + photoHeight * scale

    /** The part of the photo's width that is inside the view, in view pixels. */
    val visibleLeft: Float get() = max(0f, left)
    val visibleRight: Float get() = min(viewWidth.toFloat(), right)

    /** The middle of the view as a fraction of the photo, with which [restore] comes back after a rotation. */
    val centreX: Float get() = if (isEmpty) 0.5f else (viewWidth / 2f - left) / (photoWidth * scale)
    val centreY: Float get() = if (isEmpty) 0.5f else (viewHeight / 2f - top) / (photoHeight * scale)

    /** Another photo: seen whole. */
    fun setPhoto(width: Int, height: Int) {
        photoWidth = width
        photoHeight = height
        fit()
    }

    /** Another size of the view: the same zoom around the same middle. */
    fun setView(width: Int, height: Int) {
        val (zoom, x, y) = Triple(zoom, centreX, centreY)
        val known = !isEmpty
        viewWidth = width
        viewHeight = height
        if (known) restore(zoom, x, y) else fit()
    }

    fun fit() {
        scale = fitScale
        clamp()
    }

    fun restore(zoom: Float, centreX: Float, centreY: Float) {
        scale = (fitScale * zoom).coerceIn(fitScale, maxScale)
        left = viewWidth / 2f - centreX * photoWidth * scale
        top = viewHeight / 2f - centreY * photoHeight * scale
        clamp()
    }

    /** Zooms so that what is at (x, y) in the view stays there. */
    fun zoomBy(factor: Float, x: Float, y: Float) = zoomTo(scale * factor, x, y)

    fun zoomTo(newScale: Float, x: Float, y: Float) {
        val wanted = newScale.coerceIn(fitScale, maxScale)
        left = x - (x - left) * wanted / scale
        top = y - (y - top) * wanted / scale
        scale = wanted
        clamp()
    }

    fun panBy(dx: Float, dy: Float) {
        left += dx
        top += dy
        clamp()
    }

    /** What a double tap zooms to: whole, or a closer look of at least one view pixel a photo pixel. */
    fun doubleTapScale(): Float = if (zoomed) fitScale else max(1f, 2.5f * fitScale).coerceAtMost(maxScale)

    private fun clamp() {
        if (isEmpty) return
        left = clampSide(left, photoWidth * scale, viewWidth.toFloat())
        top = clampSide(top, photoHeight * scale, viewHeight.toFloat())
    }

    private fun clampSide(start: Float, length: Float, room: Float): Float =
        if (length <= room) (room - length) / 2 else start.coerceIn(room - length, 0f)
}
