package org.anyir.demo.ui

import android.content.Context
import android.view.Gravity
import android.view.LayoutInflater
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.LinearLayout
import android.widget.RadioButton
import android.widget.TextView
import org.anyir.demo.R

/** One of several that can be chosen: a mark, a name, and what there is to know. One target, read as a radio button. */
class ChoiceRow(context: Context) : LinearLayout(context) {
    private val mark: RadioButton

    init {
        LayoutInflater.from(context).inflate(R.layout.choice_row, this)
        orientation = HORIZONTAL
        gravity = Gravity.CENTER_VERTICAL
        background = context.getDrawable(R.drawable.row)
        minimumHeight = resources.getDimensionPixelSize(R.dimen.target)
        val pad = resources.getDimensionPixelSize(R.dimen.gap)
        setPadding(pad, pad, pad, pad)
        mark = part(R.id.mark)
        accessibilityDelegate = object : View.AccessibilityDelegate() {
            override fun onInitializeAccessibilityNodeInfo(host: View, info: AccessibilityNodeInfo) {
                super.onInitializeAccessibilityNodeInfo(host, info)
                info.className = RadioButton::class.java.name
                info.isCheckable = true
                info.isChecked = mark.isChecked
            }
        }
    }

    /** [choose] is null where this cannot be chosen. */
    fun show(
        name: String,
        good: String?,
        details: String?,
        speed: String?,
        recommended: Boolean,
        chosen: Boolean,
        choose: (() -> Unit)?,
    ) {
        part<TextView>(R.id.name).show(name)
        part<TextView>(R.id.good).show(good)
        part<TextView>(R.id.details).show(details)
        part<TextView>(R.id.speed).show(speed)
        part<View>(R.id.badge).visibility = if (recommended) VISIBLE else GONE
        mark.isChecked = chosen
        mark.isEnabled = choose != null
        isEnabled = choose != null
        isFocusable = true
        alpha = if (choose != null) 1f else UNAVAILABLE
        if (choose != null) setOnClickListener { choose() }
        contentDescription = listOfNotNull(
            name,
            context.getString(R.string.recommended).takeIf { recommended },
            good,
            details,
            speed,
        ).joinToString(". ") { it.trimEnd('.') }
    }

    private companion object {
        const val UNAVAILABLE = 0.75f
    }
}
