package org.anyir.demo.ui

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Rect
import android.graphics.RectF
import android.os.Handler
import android.os.Looper
import java.io.IOException
import java.util.concurrent.ExecutorService
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/**
 * One of the two pictures that are compared: the whole of it at the view's resolution, and, when zoomed in, what is
 * visible decoded anew at the resolution that it is shown at. Two bitmaps of about the view's size, whatever the
 * photo's.
 *
 * @param open opens the picture; called on [decoder]
 * @param decoder a single background thread, shared by both layers
 * @param photoWidth of the photo, in whose pixels regions are given; a result of half its size is stretched
 * @param changed called on the main thread when there is something new to draw
 * @param failed called on the main thread, once, when the picture cannot be read
 */
class PhotoLayer(
    private val open: () -> RegionImage,
    private val decoder: ExecutorService,
    private val photoWidth: Int,
    private val photoHeight: Int,
    private val changed: () -> Unit,
    private val failed: () -> Unit,
) {
    private class Part(val bitmap: Bitmap, val region: RectF, val sample: Int)

    private val main = Handler(Looper.getMainLooper())
    private val paint = Paint(Paint.FILTER_BITMAP_FLAG or Paint.DITHER_FLAG)
    private val target = RectF()

    // Touched on the decoder's thread alone.
    private var image: RegionImage? = null

    private var whole: Part? = null
    private var detail: Part? = null

    // What is asked for last; the decoder passes over what came before it.
    @Volatile
    private var wanted: Pair<Rect, Int>? = null
    private var asked = false

    @Volatile
    private var closed = false

    val ready: Boolean get() = whole != null

    /** Decodes the whole picture for a scale, once. */
    fun load(scale: Float) {
        if (asked || closed) return
        asked = true
        val region = Rect(0, 0, photoWidth, photoHeight)
        decode(region, scale, { true }) { whole = it }
    }

    /** Decodes what is visible, if the whole picture is too coarse for it and it is not there already. */
    fun sharpen(view: Viewport) {
        val coarse = whole ?: return
        if (closed || view.isEmpty || sampleFor(view.scale) >= coarse.sample) {
            detail = null
            wanted = null
            return
        }
        val region = visible(view)
        val request = Pair(region, sampleFor(view.scale))
        if (wanted == request) return
        wanted = request
        decode(region, view.scale, { wanted == request }) { if (wanted == request) detail = it }
    }

    /** Draws the picture as [view] shows it. [behind] is drawn where it is transparent. */
    fun draw(canvas: Canvas, view: Viewport, behind: Paint) {
        for (part in listOfNotNull(whole, detail)) {
            target.set(part.region)
            target.set(
                target.left * view.scale + view.left,
                target.top * view.scale + view.top,
                target.right * view.scale + view.left,
                target.bottom * view.scale + view.top,
            )
            if (part.bitmap.hasAlpha()) canvas.drawRect(target, behind)
            canvas.drawBitmap(part.bitmap, null, target, paint)
        }
    }

    fun close() {
        closed = true
        whole = null
        detail = null
        decoder.execute {
            image?.close()
            image = null
        }
    }

    private fun decode(region: Rect, scale: Float, needed: () -> Boolean, keep: (Part) -> Unit) {
        decoder.execute {
            if (closed || !needed()) return@execute
            val part = try {
                read(region, scale)
            } catch (_: IOException) {
                null
            } catch (_: OutOfMemoryError) {
                null // the coarser picture stays
            }
            main.post {
                if (closed) return@post
                if (part != null) {
                    keep(part)
                } else if (whole == null) {
                    failed()
                }
                changed()
            }
        }
    }

    private fun read(region: Rect, scale: Float): Part {
        val picture = image ?: open().also { image = it }
        // From the photo's pixels to the picture's, outwards.
        val x = picture.width.toFloat() / photoWidth
        val y = picture.height.toFloat() / photoHeight
        val part = Rect(
            floor(region.left * x).toInt().coerceIn(0, picture.width - 1),
            floor(region.top * y).toInt().coerceIn(0, picture.height - 1),
            ceil(region.right * x).toInt().coerceIn(1, picture.width),
            ceil(region.bottom * y).toInt().coerceIn(1, picture.height),
        )
        val shown = RectF(part.left / x, part.top / y, part.right / x, part.bottom / y)
        return Part(picture.decode(part, sampleFor(scale / x)), shown, sampleFor(scale))
    }

    private fun visible(view: Viewport): Rect {
        // A little more than what is seen, in steps, so that a small pan asks for nothing.
        val step = max(64, (max(view.viewWidth, view.viewHeight) / view.scale / 4).toInt())
        fun down(value: Float) = max(0, floor(value / step).toInt() * step)
        fun up(value: Float, limit: Int) = min(limit, ceil(value / step).toInt() * step)
        return Rect(
            down(-view.left / view.scale),
            down(-view.top / view.scale),
            up((view.viewWidth - view.left) / view.scale, photoWidth),
            up((view.viewHeight - view.top) / view.scale, photoHeight),
        )
    }

    companion object {
        /** The largest power of two that leaves at least one decoded pixel for each view pixel. */
        fun sampleFor(scale: Float): Int {
            var sample = 1
            while (sample < 64 && sample * 2 * scale <= 1f) sample *= 2
            return sample
        }
    }
}
