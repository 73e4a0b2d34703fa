package org.anyir.demo.ui

import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.accessibility.AccessibilityEvent
import android.view.accessibility.AccessibilityNodeInfo
import android.view.accessibility.AccessibilityNodeInfo.AccessibilityAction
import android.widget.ImageView
import android.widget.SeekBar
import org.anyir.demo.R
import kotlin.math.roundToInt

/**
 * What a screen reader is told of a [CompareView]: with two pictures an adjustable range, whose value is how much of
 * the view shows the restored one, and actions in place of the gestures; with one picture an image.
 */
class CompareAccess(private val view: CompareView) : View.AccessibilityDelegate() {
    /** Percent of the view that shows the restored picture. */
    private val percent: Int get() = ((1 - view.divider) * 100).roundToInt()

    private var said: String? = null

    /** Tells of a change, if there is one. */
    fun describe() {
        val name = view.photoName
        view.contentDescription = when {
            name == null -> null
            view.comparing -> view.resources.getString(R.string.compare_description, name)
            else -> name
        }
        val state = if (view.comparing) state() else null
        if (state == said) return
        said = state
        if (Build.VERSION.SDK_INT >= 30) {
            view.stateDescription = state
        } else if (state != null) {
            view.sendAccessibilityEvent(AccessibilityEvent.TYPE_VIEW_SELECTED)
        }
    }

    private fun state(): String = when {
        view.showsOriginal -> view.resources.getString(R.string.compare_original)
        else -> view.resources.getString(R.string.compare_state, percent)
    }

    override fun onInitializeAccessibilityEvent(host: View, event: AccessibilityEvent) {
        super.onInitializeAccessibilityEvent(host, event)
        if (!view.comparing) return
        event.className = SeekBar::class.java.name
        event.itemCount = 100
        event.currentItemIndex = percent
        if (Build.VERSION.SDK_INT < 30) event.text.add(state())
    }

    override fun onInitializeAccessibilityNodeInfo(host: View, info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(host, info)
        info.className = ImageView::class.java.name
        if (view.photoName == null) return
        val texts = view.resources
        info.addAction(AccessibilityAction(R.id.action_zoom_in, texts.getString(R.string.action_zoom_in)))
        if (view.zoomed) {
            info.addAction(AccessibilityAction(R.id.action_zoom_out, texts.getString(R.string.action_zoom_out)))
        }
        if (!view.comparing) return
        info.className = SeekBar::class.java.name
        info.rangeInfo = AccessibilityNodeInfo.RangeInfo.obtain(
            AccessibilityNodeInfo.RangeInfo.RANGE_TYPE_INT,
            0f,
            100f,
            percent.toFloat(),
        )
        info.addAction(AccessibilityAction.ACTION_SET_PROGRESS)
        if (percent < 100) info.addAction(AccessibilityAction.ACTION_SCROLL_FORWARD)
        if (percent > 0) info.addAction(AccessibilityAction.ACTION_SCROLL_BACKWARD)
        val hold = if (view.showsOriginal) R.string.action_show_restored else R.string.action_show_original
        info.addAction(AccessibilityAction(R.id.action_hold, texts.getString(hold)))
        if (Build.VERSION.SDK_INT < 30) info.text = state()
    }

    override fun performAccessibilityAction(host: View, action: Int, arguments: Bundle?): Boolean {
        when (action) {
            R.id.action_zoom_in -> view.zoomStep(2f)
            R.id.action_zoom_out -> view.zoomStep(0.5f)
            R.id.action_hold -> if (view.comparing) view.showsOriginal = !view.showsOriginal
            AccessibilityNodeInfo.ACTION_SCROLL_FORWARD -> return moveTo(percent + STEP)
            AccessibilityNodeInfo.ACTION_SCROLL_BACKWARD -> return moveTo(percent - STEP)
            AccessibilityAction.ACTION_SET_PROGRESS.id -> {
                val value = arguments?.getFloat(AccessibilityNodeInfo.ACTION_ARGUMENT_PROGRESS_VALUE, -1f) ?: -1f
                return value >= 0 && moveTo(value.roundToInt())
            }
            else -> return super.performAccessibilityAction(host, action, arguments)
        }
        return true
    }

    private fun moveTo(wanted: Int): Boolean {
        val value = wanted.coerceIn(0, 100)
        if (!view.comparing || value == percent) return false
        view.divider = 1 - value / 100f
        return true
    }

    private companion object {
        const val STEP = 5
    }
}
