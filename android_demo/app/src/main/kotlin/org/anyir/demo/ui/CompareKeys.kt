package org.anyir.demo.ui

import android.view.KeyEvent

/** The keyboard and the d-pad of a [CompareView]. */
object CompareKeys {
    /** Whether this key shows the original while it is down. */
    fun holds(code: Int): Boolean =
        code == KeyEvent.KEYCODE_SPACE || code == KeyEvent.KEYCODE_ENTER || code == KeyEvent.KEYCODE_DPAD_CENTER

    /** Acts on a key; false leaves it to the system, which moves the focus. */
    fun down(view: CompareView, code: Int, event: KeyEvent): Boolean {
        when (code) {
            KeyEvent.KEYCODE_PLUS, KeyEvent.KEYCODE_EQUALS, KeyEvent.KEYCODE_NUMPAD_ADD -> view.zoomStep(2f)
            KeyEvent.KEYCODE_MINUS, KeyEvent.KEYCODE_NUMPAD_SUBTRACT -> view.zoomStep(0.5f)
            KeyEvent.KEYCODE_DPAD_LEFT -> return sideways(view, -1, event)
            KeyEvent.KEYCODE_DPAD_RIGHT -> return sideways(view, 1, event)
            KeyEvent.KEYCODE_DPAD_UP -> return event.isShiftPressed && pan(view, 0, -1)
            KeyEvent.KEYCODE_DPAD_DOWN -> return event.isShiftPressed && pan(view, 0, 1)
            else -> {
                if (!view.comparing || !holds(code)) return false
                view.hold(true)
            }
        }
        return true
    }

    private fun sideways(view: CompareView, direction: Int, event: KeyEvent): Boolean {
        if (event.isShiftPressed) return pan(view, direction, 0)
        if (!view.comparing) return false
        view.dividerBy(direction * view.width / 20f)
        return true
    }

    private fun pan(view: CompareView, x: Int, y: Int): Boolean {
        if (!view.zoomed) return false
        view.panBy(-x * view.width / 8f, -y * view.height / 8f)
        return true
    }
}
