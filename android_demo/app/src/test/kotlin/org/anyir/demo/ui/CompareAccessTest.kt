package org.anyir.demo.ui

import android.graphics.Color
import android.os.Bundle
import android.view.accessibility.AccessibilityNodeInfo
import android.view.accessibility.AccessibilityNodeInfo.AccessibilityAction
import android.widget.SeekBar
import org.anyir.demo.R
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** The before/after view as a screen reader meets it. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class CompareAccessTest {
    private lateinit var view: CompareView
    private val node get() = checkNotNull(view.createAccessibilityNodeInfo())

    @Before
    fun open() {
        view = compareView()
        show(restored = true)
    }

    private fun show(restored: Boolean) {
        val result = { PaintedImage(40, 40, Color.BLUE) }
        view.show(
            Pictures(
                "$restored",
                "photo",
                "IMG_1.jpg",
                40,
                40,
                { PaintedImage(40, 40, Color.RED) },
                result.takeIf { restored },
            ),
        )
        settle { view.ready }
    }

    private fun actions() = node.actionList.map { it.id }

    @Test
    fun `it is a range with a spoken value`() {
        assertEquals(SeekBar::class.java.name, node.className)
        assertEquals(50f, node.rangeInfo.current)
        assertEquals(0f, node.rangeInfo.min)
        assertEquals(100f, node.rangeInfo.max)
        assertEquals("IMG_1.jpg, before and after", node.contentDescription.toString())
        assertEquals("50 percent after", node.stateDescription.toString())
    }

    @Test
    fun `forward shows more of the result, backward less, and the spoken value follows`() {
        view.performAccessibilityAction(AccessibilityNodeInfo.ACTION_SCROLL_FORWARD, null)
        assertEquals("55 percent after", node.stateDescription.toString())
        repeat(3) { view.performAccessibilityAction(AccessibilityNodeInfo.ACTION_SCROLL_BACKWARD, null) }
        assertEquals(40f, node.rangeInfo.current)
        assertEquals(0.6f, view.divider, 0.001f)
    }

    @Test
    fun `the value can be set, and steps past an end are refused`() {
        val full = Bundle().apply { putFloat(AccessibilityNodeInfo.ACTION_ARGUMENT_PROGRESS_VALUE, 100f) }
        assertTrue(view.performAccessibilityAction(AccessibilityAction.ACTION_SET_PROGRESS.id, full))
        assertEquals(0f, view.divider)
        assertFalse(AccessibilityNodeInfo.ACTION_SCROLL_FORWARD in actions())
        assertFalse(view.performAccessibilityAction(AccessibilityNodeInfo.ACTION_SCROLL_FORWARD, null))
        assertFalse(view.performAccessibilityAction(AccessibilityAction.ACTION_SET_PROGRESS.id, null))
    }

    @Test
    fun `press and hold, and zoom, are actions with names`() {
        val texts = node.actionList.mapNotNull { it.label?.toString() }
        assertEquals(listOf("Zoom in", "Show the photo as it was"), texts)
        view.performAccessibilityAction(R.id.action_hold, null)
        assertTrue(view.showsOriginal)
        assertEquals("The photo as it was", node.stateDescription.toString())
        view.performAccessibilityAction(R.id.action_hold, null)
        assertFalse(view.showsOriginal)
        view.performAccessibilityAction(R.id.action_zoom_in, null)
        settle()
        assertEquals(2f, view.zoom, 0.01f)
        assertTrue(R.id.action_zoom_out in actions())
    }

    @Test
    fun `with one picture it is an image without a range`() {
        show(restored = false)
        assertEquals(android.widget.ImageView::class.java.name, node.className)
        assertNull(node.rangeInfo)
        assertEquals("IMG_1.jpg", node.contentDescription.toString())
        assertNull(node.stateDescription)
        assertFalse(view.performAccessibilityAction(AccessibilityNodeInfo.ACTION_SCROLL_FORWARD, null))
    }
}
