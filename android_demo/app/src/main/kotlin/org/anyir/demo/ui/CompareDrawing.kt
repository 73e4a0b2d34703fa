package org.anyir.demo.ui

import android.content.res.Resources
import android.graphics.Bitmap
import android.graphics.BitmapShader
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.graphics.Rect
import android.graphics.Shader
import android.util.TypedValue
import org.anyir.demo.R

/** What a [CompareView] draws around its pictures: divider, handle, labels. */
class CompareDrawing(private val resources: Resources) {
    private val density = resources.displayMetrics.density
    private val handleRadius = 22 * density

    /** Half the width of what takes the divider when zoomed in: 28 dp, 56 dp in all. */
    val touchRadius = 28 * density

    /** A chequered pattern, seen where a photo is transparent. */
    val behind = Paint().apply { shader = chequered() }

    private val surround = Paint().apply { color = color(R.color.surround) }
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = color(R.color.on_photo)
        textSize = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, 13f, resources.displayMetrics)
        typeface = android.graphics.Typeface.create("sans-serif-medium", android.graphics.Typeface.NORMAL)
    }
    private val pill = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = color(R.color.photo_label) }
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = color(R.color.on_photo)
        strokeWidth = 2 * density
        setShadowLayer(3 * density, 0f, 0f, color(R.color.photo_shadow))
    }
    private val arrow = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = color(R.color.surround) }
    private val ring = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = color(R.color.on_photo)
        style = Paint.Style.STROKE
        strokeWidth = 3 * density
    }
    private val arrows = Path().apply {
        for (side in listOf(-1, 1)) {
            moveTo(side * 13 * density, 0f)
            lineTo(side * 6 * density, -6 * density)
            lineTo(side * 6 * density, 6 * density)
            close()
        }
    }
    private val before = resources.getString(R.string.compare_before)
    private val after = resources.getString(R.string.compare_after)

    fun surround(canvas: Canvas, width: Int, height: Int) =
        canvas.drawRect(0f, 0f, width.toFloat(), height.toFloat(), surround)

    fun divider(canvas: Canvas, view: Viewport, x: Float) {
        val top = maxOf(0f, view.top)
        val bottom = minOf(view.viewHeight.toFloat(), view.bottom)
        canvas.drawLine(x, top, x, bottom, line)
        val y = view.viewHeight / 2f
        canvas.drawCircle(x, y, handleRadius, line)
        canvas.save()
        canvas.translate(x, y)
        canvas.drawPath(arrows, arrow)
        canvas.restore()
    }

    /** "Before" and "After" in the upper corners, each seen in its own part alone. */
    fun labels(canvas: Canvas, view: Viewport, edge: Float, mirrored: Boolean) {
        val height = view.viewHeight.toFloat()
        canvas.save()
        canvas.clipRect(0f, 0f, edge, height)
        label(canvas, view, if (mirrored) after else before, atLeft = true)
        canvas.restore()
        canvas.save()
        canvas.clipRect(edge, 0f, view.viewWidth.toFloat(), height)
        label(canvas, view, if (mirrored) before else after, atLeft = false)
        canvas.restore()
    }

    fun originalLabel(canvas: Canvas, view: Viewport, mirrored: Boolean) =
        label(canvas, view, before, atLeft = !mirrored)

    fun focus(canvas: Canvas, width: Int, height: Int) {
        val inset = ring.strokeWidth / 2
        canvas.drawRect(inset, inset, width - inset, height - inset, ring)
    }

    private fun label(canvas: Canvas, view: Viewport, words: String, atLeft: Boolean) {
        val pad = 8 * density
        val width = text.measureText(words) + 2 * pad
        val height = text.descent() - text.ascent() + pad
        val top = maxOf(0f, view.top) + pad
        val left = if (atLeft) view.visibleLeft + pad else view.visibleRight - pad - width
        canvas.drawRoundRect(left, top, left + width, top + height, height / 2, height / 2, pill)
        canvas.drawText(words, left + pad, top + pad / 2 - text.ascent(), text)
    }

    private fun chequered(): BitmapShader {
        val side = (8 * density).toInt()
        val tile = Bitmap.createBitmap(2 * side, 2 * side, Bitmap.Config.ARGB_8888)
        tile.eraseColor(color(R.color.surround))
        val square = Paint().apply { color = color(R.color.surround_square) }
        val drawn = Canvas(tile)
        for (i in 0..1) drawn.drawRect(Rect(i * side, i * side, (i + 1) * side, (i + 1) * side), square)
        return BitmapShader(tile, Shader.TileMode.REPEAT, Shader.TileMode.REPEAT)
    }

    private fun color(id: Int): Int = resources.getColor(id, null)
}
