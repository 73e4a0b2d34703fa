package org.anyir.demo.ui

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Rect
import android.os.Looper
import android.os.SystemClock
import android.view.MotionEvent
import android.view.View
import android.view.ViewGroup
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import java.time.Duration

const val PHONE = "w360dp-h640dp-port-notnight-xxhdpi"
const val PHONE_LANDSCAPE = "w640dp-h360dp-land-notnight-xxhdpi"
const val TABLET = "sw800dp-w1280dp-h800dp-xlarge-land-notnight-hdpi"

/** A picture of one colour, or of black and white columns of one pixel, which any scaling down turns grey. */
class PaintedImage(override val width: Int, override val height: Int, private val colour: Int?) : RegionImage {
    override fun decode(region: Rect, sample: Int): Bitmap {
        val columns = maxOf(1, region.width() / sample)
        val rows = maxOf(1, region.height() / sample)
        val bitmap = Bitmap.createBitmap(columns, rows, Bitmap.Config.ARGB_8888)
        if (colour != null) {
            bitmap.eraseColor(colour)
        } else if (sample > 1) {
            bitmap.eraseColor(Color.rgb(127, 127, 127))
        } else {
            for (x in 0 until columns) {
                val column = if ((region.left + x) % 2 == 0) Color.BLACK else Color.WHITE
                for (y in 0 until rows) bitmap.setPixel(x, y, column)
            }
        }
        bitmap.setHasAlpha(false)
        return bitmap
    }

    override fun close() = Unit
}

fun draw(view: View): Bitmap {
    val picture = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
    view.draw(Canvas(picture))
    return picture
}

/** Runs what is posted to the main thread until [done], giving background threads time. */
fun settle(done: () -> Boolean = { true }) {
    val end = System.nanoTime() + 120_000_000_000
    while (true) {
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(400))
        if (done()) return
        check(System.nanoTime() < end) { "nothing happened for two minutes" }
        Thread.sleep(5)
    }
}

/** A [CompareView] that fills the window of an activity. */
fun compareView(): CompareView {
    val activity = Robolectric.buildActivity(Activity::class.java).setup().get()
    val view = CompareView(activity)
    activity.setContentView(view)
    settle()
    return view
}

/** Sends touches to [view]: down at the first point, along the others, up at the last. */
fun drag(view: View, vararg points: Pair<Float, Float>, release: Boolean = true) {
    val start = SystemClock.uptimeMillis()
    fun send(action: Int, at: Pair<Float, Float>, after: Long) {
        val event = MotionEvent.obtain(start, start + after, action, at.first, at.second, 0)
        view.dispatchTouchEvent(event)
        event.recycle()
    }
    send(MotionEvent.ACTION_DOWN, points.first(), 0)
    points.drop(1).forEachIndexed { i, point -> send(MotionEvent.ACTION_MOVE, point, 16L * (i + 1)) }
    if (release) send(MotionEvent.ACTION_UP, points.last(), 16L * (points.size + 1))
}

/** Two fingers that move from [from] to [to] pixels apart around (x, y). */
fun pinch(view: View, x: Float, y: Float, from: Float, to: Float) {
    val start = SystemClock.uptimeMillis()
    val properties = Array(2) { i -> MotionEvent.PointerProperties().apply { id = i } }
    fun send(action: Int, fingers: Int, apart: Float, after: Long) {
        val coordinates = Array(fingers) { i ->
            MotionEvent.PointerCoords().apply {
                this.x = x + (if (i == 0) -apart else apart) / 2
                this.y = y
                pressure = 1f
                size = 1f
            }
        }
        val event = MotionEvent.obtain(
            start, start + after, action, fingers, properties, coordinates, 0, 0, 1f, 1f, 0, 0, 0, 0,
        )
        view.dispatchTouchEvent(event)
        event.recycle()
    }
    val second = MotionEvent.ACTION_POINTER_DOWN or (1 shl MotionEvent.ACTION_POINTER_INDEX_SHIFT)
    send(MotionEvent.ACTION_DOWN, 1, from, 0)
    send(second, 2, from, 10)
    for (step in 1..10) send(MotionEvent.ACTION_MOVE, 2, from + (to - from) * step / 10, 10 + 16L * step)
    send(MotionEvent.ACTION_POINTER_UP or (1 shl MotionEvent.ACTION_POINTER_INDEX_SHIFT), 2, to, 200)
    send(MotionEvent.ACTION_UP, 1, to, 220)
}

/** This view and all below it. */
fun View.all(): List<View> =
    listOf(this) + if (this is ViewGroup) (0 until childCount).flatMap { getChildAt(it).all() } else emptyList()
