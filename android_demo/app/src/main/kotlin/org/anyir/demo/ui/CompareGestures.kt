package org.anyir.demo.ui

import android.view.GestureDetector
import android.view.MotionEvent
import android.view.ScaleGestureDetector
import android.view.View

/**
 * Turns touches into what they mean for a before/after view: one finger drags the divider (or, when zoomed in and away
 * from it, the photo), two fingers zoom and pan, a double tap zooms, press and hold shows the original.
 */
class CompareGestures(private val view: View, private val target: Target) {
    interface Target {
        /** Whether a drag that begins here moves the divider rather than the photo. */
        fun startsDivider(x: Float): Boolean

        fun dividerBy(dx: Float)

        fun panBy(dx: Float, dy: Float)

        fun zoomBy(factor: Float, x: Float, y: Float)

        fun doubleTap(x: Float, y: Float)

        fun hold(down: Boolean)
    }

    private var dividing = false

    private val touches = GestureDetector(
        view.context,
        object : GestureDetector.SimpleOnGestureListener() {
            override fun onDown(event: MotionEvent): Boolean {
                dividing = target.startsDivider(event.x)
                return true
            }

            override fun onScroll(first: MotionEvent?, event: MotionEvent, dx: Float, dy: Float): Boolean {
                if (event.pointerCount > 1) dividing = false
                if (dividing) target.dividerBy(-dx) else target.panBy(-dx, -dy)
                return true
            }

            override fun onLongPress(event: MotionEvent) = target.hold(true)

            override fun onDoubleTap(event: MotionEvent): Boolean {
                target.doubleTap(event.x, event.y)
                return true
            }
        },
    )

    private val pinches = ScaleGestureDetector(
        view.context,
        object : ScaleGestureDetector.SimpleOnScaleGestureListener() {
            override fun onScale(detector: ScaleGestureDetector): Boolean {
                target.zoomBy(detector.scaleFactor, detector.focusX, detector.focusY)
                return true
            }
        },
    )

    init {
        // A drag after a double tap would zoom too; here the double tap itself does.
        pinches.isQuickScaleEnabled = false
    }

    fun onTouch(event: MotionEvent): Boolean {
        if (event.actionMasked == MotionEvent.ACTION_DOWN) view.parent?.requestDisallowInterceptTouchEvent(true)
        pinches.onTouchEvent(event)
        touches.onTouchEvent(event)
        if (event.actionMasked == MotionEvent.ACTION_UP || event.actionMasked == MotionEvent.ACTION_CANCEL) {
            target.hold(false)
        }
        return true
    }
}
