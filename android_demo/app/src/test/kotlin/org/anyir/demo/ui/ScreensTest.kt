package org.anyir.demo.ui

import android.app.Activity
import android.graphics.Rect
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ScrollView
import android.widget.TextView
import org.anyir.demo.R
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** Every screen in every state, laid out by Android for phones, tablets, large text and right to left. */
@RunWith(RobolectricTestRunner::class)
class ScreensTest {
    @Test
    @Config(qualifiers = PHONE)
    fun `a phone`() = checkAll()

    @Test
    @Config(qualifiers = PHONE)
    fun `a phone with text of twice the size`() {
        RuntimeEnvironment.setFontScale(2f)
        checkAll()
    }

    @Test
    @Config(qualifiers = "w320dp-h533dp-port-hdpi")
    fun `a small phone with text of twice the size`() {
        RuntimeEnvironment.setFontScale(2f)
        checkAll()
    }

    @Test
    @Config(qualifiers = PHONE_LANDSCAPE)
    fun `a phone held sideways`() = checkAll()

    @Test
    @Config(qualifiers = PHONE_LANDSCAPE)
    fun `a phone held sideways with text of twice the size`() {
        RuntimeEnvironment.setFontScale(2f)
        checkAll()
    }

    @Test
    @Config(qualifiers = TABLET)
    fun `a tablet`() = checkAll()

    @Test
    @Config(qualifiers = "ar-ldrtl-w360dp-h640dp-port-night-xxhdpi")
    fun `right to left and dark`() {
        checkAll()
        val activity = ScreenStates.open("ready")
        val close = activity.window.decorView.part<View>(R.id.close)
        assertTrue("the close button is at the right", bounds(close).left > 540)
    }

    private fun checkAll() {
        for (name in ScreenStates.names) {
            val activity = ScreenStates.open(name)
            val shown = activity.window.decorView.part<ViewGroup>(android.R.id.content).all().filter { it.isShown }
            shown.filter { tapped(it) || it is CompareView }.forEach { checkTarget(name, it) }
            shown.filterIsInstance<TextView>().forEach { checkText(name, it) }
            checkReachable(name, activity)
        }
    }

    /** Text that can be selected is clickable too, but nothing to be hit. */
    private fun tapped(view: View) = view.isClickable && !(view is TextView && view.isTextSelectable)

    private fun checkTarget(screen: String, view: View) {
        val least = 48 * view.resources.displayMetrics.density - 0.5f
        assertTrue(
            "$screen: ${label(view)} is ${view.width}x${view.height}",
            view.width >= least && view.height >= least,
        )
        assertTrue("$screen: a ${view.javaClass.simpleName} has no name", label(view).isNotBlank() || quiet(view))
        assertTrue("$screen: ${label(view)} takes no focus", view.isFocusable)
    }

    /** The view of the photo has nothing to say while there is none. */
    private fun quiet(view: View) = view is CompareView && view.photoName == null

    private fun label(view: View): String = (view.contentDescription ?: (view as? TextView)?.text ?: "").toString()

    private fun checkText(screen: String, view: TextView) {
        val layout = view.layout ?: return
        val room = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
        assertTrue("$screen: \"${view.text}\" is cut below: ${layout.height} in $room", layout.height <= room)
        for (line in 0 until layout.lineCount) {
            assertEquals("$screen: \"${view.text}\" is shortened", 0, layout.getEllipsisCount(line))
            val wide = view.width - view.compoundPaddingLeft - view.compoundPaddingRight
            assertTrue("$screen: \"${view.text}\" is cut at its side", layout.getLineMax(line) <= wide + 1)
        }
        if (view is Button) checkWords(screen, view)
    }

    /** A button's text breaks between words, never inside one. */
    private fun checkWords(screen: String, view: Button) {
        val layout = view.layout
        for (line in 0 until layout.lineCount - 1) {
            val end = layout.getLineEnd(line)
            assertTrue("$screen: \"${view.text}\" breaks a word", view.text[end - 1] == ' ' || view.text[end] == ' ')
        }
    }

    /** All that is shown lies inside the window, or inside what scrolls. */
    private fun checkReachable(screen: String, activity: Activity) {
        val content = activity.window.decorView.part<ViewGroup>(android.R.id.content)
        val window = bounds(content)
        for (view in content.all().filter { it.isShown && it.width > 0 && it.height > 0 }) {
            val scroller = generateSequence(view.parent as? View) {
                it.parent as? View
            }.firstOrNull { it is ScrollView }
            val here = bounds(view)
            val room =
                scroller?.let { bounds(it).apply { bottom = top + (it as ScrollView).getChildAt(0).height } } ?: window
            assertTrue(
                "$screen: ${view.javaClass.simpleName} ${label(view)} at $here is not inside $room",
                room.contains(here),
            )
        }
        val photo = content.all().filterIsInstance<CompareView>().singleOrNull() ?: return
        val least = 150 * activity.resources.displayMetrics.density
        assertTrue(
            "$screen: the photo is ${photo.width}x${photo.height}",
            photo.height >= least && photo.width >= least,
        )
    }

    private fun bounds(view: View): Rect {
        val place = IntArray(2)
        view.getLocationInWindow(place)
        return Rect(place[0], place[1], place[0] + view.width, place[1] + view.height)
    }
}
