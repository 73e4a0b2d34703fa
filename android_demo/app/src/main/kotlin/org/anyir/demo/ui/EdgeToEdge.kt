package org.anyir.demo.ui

import android.app.Activity
import android.graphics.Rect
import android.os.Build
import android.view.View
import android.view.WindowInsets

/** Draws behind the system bars, as Android 15 does for every app, and keeps [root]'s content clear of them. */
fun Activity.drawEdgeToEdge(root: View) {
    if (Build.VERSION.SDK_INT >= 30) {
        window.setDecorFitsSystemWindows(false)
    } else {
        @Suppress("DEPRECATION") // its successor is of API 30
        root.systemUiVisibility = root.systemUiVisibility or View.SYSTEM_UI_FLAG_LAYOUT_STABLE or
            View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN or View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION
    }
    root.setOnApplyWindowInsetsListener { view, insets ->
        val bars = barsOf(insets)
        view.setPadding(bars.left, bars.top, bars.right, bars.bottom)
        insets
    }
}

private fun barsOf(insets: WindowInsets): Rect {
    if (Build.VERSION.SDK_INT >= 30) {
        val bars = insets.getInsets(WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout())
        return Rect(bars.left, bars.top, bars.right, bars.bottom)
    }
    @Suppress("DEPRECATION") // its successor is of API 30
    val bars = Rect(
        insets.systemWindowInsetLeft,
        insets.systemWindowInsetTop,
        insets.systemWindowInsetRight,
        insets.systemWindowInsetBottom,
    )
    val cutout = if (Build.VERSION.SDK_INT >= 28) insets.displayCutout else null
    if (cutout != null) {
        bars.left = maxOf(bars.left, cutout.safeInsetLeft)
        bars.top = maxOf(bars.top, cutout.safeInsetTop)
        bars.right = maxOf(bars.right, cutout.safeInsetRight)
        bars.bottom = maxOf(bars.bottom, cutout.safeInsetBottom)
    }
    return bars
}
