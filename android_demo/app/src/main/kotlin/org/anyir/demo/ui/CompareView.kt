package org.anyir.demo.ui

import android.animation.ValueAnimator
import android.content.Context
import android.graphics.Canvas
import android.graphics.Rect
import android.os.Build
import android.os.Bundle
import android.os.Parcelable
import android.util.AttributeSet
import android.view.HapticFeedbackConstants
import android.view.KeyEvent
import android.view.MotionEvent
import android.view.View
import android.view.ViewConfiguration
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** The pictures that a [CompareView] shows. */
class Pictures(
    /** Two with the same key are the same pictures. */
    val key: String,
    /** Two with the same photo show it with different results, or none. */
    val photo: String,
    /** Said by screen readers. */
    val name: String,
    /** Of the photo, upright, in pixels. */
    val width: Int,
    val height: Int,
    val original: () -> RegionImage,
    /** Null while there is no result. */
    val restored: (() -> RegionImage)?,
)

/**
 * Shows a photo, or a photo and its restored form at either side of a divider, both in step.
 *
 * Drag the divider, pinch or double-tap to zoom, drag to pan when zoomed in, press and hold to see the original.
 * Keys: left and right move the divider, + and - zoom, with shift the arrows pan, space shows the original.
 */
class CompareView @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    View(context, attributes),
    CompareGestures.Target {
    private val viewport = Viewport()
    private val gestures = CompareGestures(this, this)
    private val access = CompareAccess(this)
    private val drawing = CompareDrawing(resources)
    private val exclusion = listOf(Rect())
    private val sharpen = Runnable { sharpenNow() }
    private var decoder: ExecutorService? = null
    private var pictures: Pictures? = null
    private var original: PhotoLayer? = null
    private var restored: PhotoLayer? = null
    private var returning: FloatArray? = null

    /** Called when the pictures cannot be read. */
    var onUnreadable: () -> Unit = {}

    /** Where the divider stands: the original's share, 0..1, of the visible photo's width from its start side. */
    var divider = 0.5f
        set(value) {
            field = value.coerceIn(0f, 1f)
            changed()
        }

    /** How much of the restored picture is mixed in, 0..1. Nothing is computed anew. */
    var strength = 1f
        set(value) {
            field = value.coerceIn(0f, 1f)
            invalidate()
        }

    /** Whether the original alone is shown. */
    var showsOriginal = false
        set(value) {
            if (field == value) return
            field = value
            changed()
        }

    val photoName: String? get() = pictures?.name

    /** Whether there are two pictures. */
    val comparing: Boolean get() = restored != null
    val zoomed: Boolean get() = viewport.zoomed
    val zoom: Float get() = if (viewport.isEmpty) 1f else viewport.zoom

    /** Whether all that is shown has been decoded. */
    val ready: Boolean get() = original?.ready == true && restored?.ready != false

    private val mirrored: Boolean get() = layoutDirection == LAYOUT_DIRECTION_RTL

    /** Of the divider, in view pixels. */
    val dividerX: Float
        get() {
            val share = if (mirrored) 1 - divider else divider
            return viewport.visibleLeft + share * (viewport.visibleRight - viewport.visibleLeft)
        }

    init {
        isFocusable = true
        accessibilityDelegate = access
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_YES
    }

    /** Shows other pictures, or none. The zoom stays where only the result is new. */
    fun show(next: Pictures?) {
        if (next?.key == pictures?.key) return
        val samePhoto = next?.photo == pictures?.photo
        original?.close()
        restored?.close()
        pictures = next
        showsOriginal = false
        original = next?.let { layer(it, it.original) }
        restored = next?.restored?.let { layer(next, it) }
        if (next != null && !samePhoto) viewport.setPhoto(next.width, next.height)
        returning?.let { viewport.restore(it[0], it[1], it[2]) }
        returning = null.takeIf { !viewport.isEmpty } ?: returning
        load()
        changed()
    }

    private fun layer(pictures: Pictures, open: () -> RegionImage): PhotoLayer {
        val thread = decoder ?: Executors.newSingleThreadExecutor().also { decoder = it }
        return PhotoLayer(open, thread, pictures.width, pictures.height, ::decoded) { onUnreadable() }
    }

    private fun decoded() {
        sharpenSoon()
        invalidate()
    }

    private fun load() {
        if (viewport.isEmpty) return
        original?.load(viewport.fitScale)
        restored?.load(viewport.fitScale)
    }

    private fun sharpenSoon() {
        removeCallbacks(sharpen)
        postDelayed(sharpen, SETTLED_MILLIS)
    }

    private fun sharpenNow() {
        original?.sharpen(viewport)
        restored?.sharpen(viewport)
        invalidate()
    }

    private fun changed() {
        access.describe()
        if (Build.VERSION.SDK_INT >= 29 && comparing) {
            val half = drawing.touchRadius.toInt()
            exclusion[0].set(dividerX.toInt() - half, height / 2 - half, dividerX.toInt() + half, height / 2 + half)
            systemGestureExclusionRects = exclusion
        }
        invalidate()
    }

    private fun moved() {
        sharpenSoon()
        changed()
    }

    override fun onSizeChanged(width: Int, height: Int, oldWidth: Int, oldHeight: Int) {
        viewport.setView(width, height)
        if (!viewport.isEmpty) returning?.let { viewport.restore(it[0], it[1], it[2]) }
        if (!viewport.isEmpty) returning = null
        load()
        moved()
    }

    override fun onDraw(canvas: Canvas) {
        drawing.surround(canvas, width, height)
        val before = original ?: return
        val mixed = restored.takeIf { it?.ready == true && !showsOriginal }
        before.draw(canvas, viewport, drawing.behind)
        if (mixed != null) {
            val edge = dividerX
            canvas.save()
            if (mirrored) {
                canvas.clipRect(
                    0f,
                    0f,
                    edge,
                    height.toFloat(),
                )
            } else {
                canvas.clipRect(edge, 0f, width.toFloat(), height.toFloat())
            }
            canvas.saveLayerAlpha(null, (strength * 255 + 0.5f).toInt())
            mixed.draw(canvas, viewport, drawing.behind)
            canvas.restore()
            canvas.restore()
            drawing.labels(canvas, viewport, edge, mirrored)
            drawing.divider(canvas, viewport, edge)
        } else if (comparing && showsOriginal) {
            drawing.originalLabel(canvas, viewport, mirrored)
        }
        if (isFocused && !isInTouchMode) drawing.focus(canvas, width, height)
    }

    override fun startsDivider(x: Float): Boolean =
        comparing && (!viewport.zoomed || kotlin.math.abs(x - dividerX) <= drawing.touchRadius)

    override fun dividerBy(dx: Float) {
        val room = viewport.visibleRight - viewport.visibleLeft
        if (comparing && room > 0) divider += (if (mirrored) -dx else dx) / room
    }

    override fun panBy(dx: Float, dy: Float) {
        if (!viewport.zoomed) return
        viewport.panBy(dx, dy)
        moved()
    }

    override fun zoomBy(factor: Float, x: Float, y: Float) {
        viewport.zoomBy(factor, x, y)
        moved()
    }

    override fun doubleTap(x: Float, y: Float) = animateTo(viewport.doubleTapScale(), x, y)

    /** Zooms around the middle of the view. */
    fun zoomStep(factor: Float) = animateTo(viewport.scale * factor, width / 2f, height / 2f)

    private fun animateTo(scale: Float, x: Float, y: Float) {
        if (viewport.isEmpty) return
        ValueAnimator.ofFloat(viewport.scale, scale.coerceIn(viewport.fitScale, viewport.maxScale)).apply {
            duration = 200
            addUpdateListener {
                viewport.zoomTo(it.animatedValue as Float, x, y)
                moved()
            }
            start()
        }
    }

    override fun hold(down: Boolean) {
        if (!comparing || showsOriginal == down) return
        if (down) performHapticFeedback(HapticFeedbackConstants.LONG_PRESS)
        showsOriginal = down
    }

    @Suppress("ClickableViewAccessibility") // what touches do is offered as actions by CompareAccess
    override fun onTouchEvent(event: MotionEvent): Boolean = pictures != null && gestures.onTouch(event)

    override fun onGenericMotionEvent(event: MotionEvent): Boolean {
        if (event.action != MotionEvent.ACTION_SCROLL || pictures == null) return super.onGenericMotionEvent(event)
        val turns = event.getAxisValue(MotionEvent.AXIS_VSCROLL)
        zoomBy(if (turns > 0) 1.2f else 1 / 1.2f, event.x, event.y)
        return true
    }

    override fun onKeyDown(code: Int, event: KeyEvent): Boolean =
        (pictures != null && CompareKeys.down(this, code, event)) || super.onKeyDown(code, event)

    override fun onKeyUp(code: Int, event: KeyEvent): Boolean {
        if (!comparing || !CompareKeys.holds(code)) return super.onKeyUp(code, event)
        hold(false)
        return true
    }

    override fun onFocusChanged(gained: Boolean, direction: Int, previous: Rect?) {
        super.onFocusChanged(gained, direction, previous)
        if (!gained) hold(false)
        invalidate()
    }

    override fun onSaveInstanceState(): Parcelable = Bundle().apply {
        putParcelable("view", super.onSaveInstanceState())
        putFloat("divider", divider)
        putFloat("strength", strength)
        putFloatArray("zoom", floatArrayOf(zoom, viewport.centreX, viewport.centreY))
    }

    override fun onRestoreInstanceState(state: Parcelable?) {
        val saved = state as? Bundle
        @Suppress("DEPRECATION") // the typed form is younger than minSdk
        super.onRestoreInstanceState(saved?.getParcelable("view"))
        if (saved == null) return
        divider = saved.getFloat("divider", 0.5f)
        strength = saved.getFloat("strength", 1f)
        returning = saved.getFloatArray("zoom")
    }

    override fun onDetachedFromWindow() {
        super.onDetachedFromWindow()
        removeCallbacks(sharpen)
        show(null)
        decoder?.shutdown()
        decoder = null
    }

    private companion object {
        /** How long the view rests before what it shows is decoded sharply. */
        val SETTLED_MILLIS = ViewConfiguration.getDoubleTapTimeout() / 3L
    }
}
