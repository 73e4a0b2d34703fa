package org.anyir.demo.ui

import android.content.Context
import android.util.AttributeSet
import android.view.View
import android.view.View.MeasureSpec
import android.view.ViewGroup
import android.widget.LinearLayout
import android.widget.ScrollView
import org.anyir.demo.R
import kotlin.math.max
import kotlin.math.min

/** A column that is never wider than text reads well, in the middle of a wide screen. */
class ReadingColumn @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    LinearLayout(context, attributes) {
    private val side = paddingLeft
    private val widest = resources.getDimensionPixelSize(R.dimen.reading_width)

    init {
        orientation = VERTICAL
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val spare = max(0, MeasureSpec.getSize(widthSpec) - widest) / 2
        setPadding(side + spare, paddingTop, side + spare, paddingBottom)
        super.onMeasure(widthSpec, heightSpec)
    }
}

/** What stands below the photo: scrolls rather than take more than most of the height from it. */
class PanelScroll @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    ScrollView(context, attributes) {
    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val mode = MeasureSpec.getMode(heightSpec)
        if (mode != MeasureSpec.AT_MOST) return super.onMeasure(widthSpec, heightSpec)
        val most = (MeasureSpec.getSize(heightSpec) * SHARE).toInt()
        super.onMeasure(widthSpec, MeasureSpec.makeMeasureSpec(most, MeasureSpec.AT_MOST))
    }

    private companion object {
        const val SHARE = 0.6f
    }
}

/** Buttons side by side, all as wide as each other; one below the other where a text would not fit. */
class ButtonRow @JvmOverloads constructor(context: Context, attributes: AttributeSet? = null) :
    ViewGroup(context, attributes) {
    private val gap = resources.getDimensionPixelSize(R.dimen.gap)
    private var stacked = false

    private val shown: List<View> get() = (0 until childCount).map { getChildAt(it) }.filter { it.visibility != GONE }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        val buttons = shown
        val free = MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)
        val each = (width - gap * (buttons.size - 1)) / max(1, buttons.size)
        buttons.forEach { it.measure(free, free) }
        stacked = buttons.any { it.measuredWidth > each }
        val own = MeasureSpec.makeMeasureSpec(if (stacked) width else each, MeasureSpec.EXACTLY)
        buttons.forEach { it.measure(own, free) }
        val heights = buttons.map { it.measuredHeight }
        val height = if (stacked) heights.sum() + gap * max(0, heights.size - 1) else heights.maxOrNull() ?: 0
        setMeasuredDimension(width, height)
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        var (x, y) = Pair(0, 0)
        val mirrored = layoutDirection == LAYOUT_DIRECTION_RTL
        for (button in shown) {
            val start = if (mirrored) width - x - button.measuredWidth else x
            button.layout(start, y, start + button.measuredWidth, min(height, y + button.measuredHeight))
            if (stacked) y += button.measuredHeight + gap else x += button.measuredWidth + gap
        }
    }
}
