package org.anyir.demo.ui

import android.graphics.Bitmap
import android.graphics.Color
import android.view.KeyEvent
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import kotlin.math.abs

/** Drawn by Android's own renderer at 1080x1920: a red photo that was restored to a blue one. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class CompareViewTest {
    private lateinit var view: CompareView

    @Before
    fun open() {
        view = compareView()
        show(400, 400)
    }

    private fun show(
        width: Int,
        height: Int,
        original: Int? = Color.RED,
        restored: Int? = Color.BLUE,
        photo: String = "$width $height $original",
    ) {
        view.show(
            Pictures(
                "$photo $restored",
                photo,
                "IMG_1.jpg",
                width,
                height,
                { PaintedImage(width, height, original) },
                { PaintedImage(width, height, restored) },
            ),
        )
        settle { view.ready }
    }

    /** Below the handle and the labels. */
    private val line get() = view.height / 2 + 200

    private fun Bitmap.at(x: Float): Int = getPixel(x.toInt(), line)

    @Test
    fun `the photo is at the left of the divider and the result at its right`() {
        val picture = draw(view)
        assertEquals(1080, picture.width)
        assertEquals(Color.RED, picture.at(100f))
        assertEquals(Color.BLUE, picture.at(980f))
    }

    @Test
    fun `dragging the divider moves the edge between the two by as much`() {
        val before = draw(view)
        drag(view, 540f to 900f, 500f to 900f, 400f to 900f, 340f to 900f)
        val after = draw(view)
        assertTrue("the edge moved to ${view.dividerX}", abs(view.dividerX - 340) < 40)
        assertEquals(Color.RED, before.at(450f))
        assertEquals(Color.BLUE, after.at(450f))
        assertEquals(Color.RED, after.at(view.dividerX - 30))
        assertEquals(Color.BLUE, after.at(view.dividerX + 30))
    }

    @Test
    fun `the divider stays inside the photo`() {
        drag(view, 540f to 900f, 100f to 900f, -900f to 900f, -3000f to 900f)
        assertEquals(0f, view.divider)
        assertEquals(Color.BLUE, draw(view).at(30f))
        drag(view, 0f to 900f, 500f to 900f, 3000f to 900f)
        assertEquals(1f, view.divider)
        assertEquals(Color.RED, draw(view).at(1050f))
    }

    @Test
    fun `strength mixes the two by as much, without decoding anything`() {
        for (strength in listOf(0f, 0.25f, 0.5f, 1f)) {
            view.strength = strength
            val colour = draw(view).at(980f)
            assertTrue("blue at $strength", abs(Color.blue(colour) - 255 * strength) <= 2)
            assertTrue("red at $strength: ${Color.red(colour)}", abs(Color.red(colour) - 255 * (1 - strength)) <= 2)
            assertEquals(255, Color.alpha(colour))
        }
    }

    @Test
    fun `press and hold shows the photo as it was until it is released`() {
        drag(view, 900f to 900f, release = false)
        settle { view.showsOriginal }
        assertEquals(Color.RED, draw(view).at(980f))
        view.dispatchTouchEvent(
            android.view.MotionEvent.obtain(0, 900, android.view.MotionEvent.ACTION_UP, 900f, 900f, 0),
        )
        assertFalse(view.showsOriginal)
        assertEquals(Color.BLUE, draw(view).at(980f))
    }

    @Test
    fun `a pinch zooms both pictures around the fingers`() {
        show(4000, 4000, null, null)
        pinch(view, 540f, 960f, 540f, 1000f)
        assertTrue("zoomed to ${view.zoom}", view.zoom in 1.3f..1.9f)
    }

    @Test
    fun `zoomed in, both pictures are sharp to the pixel and in step`() {
        show(4000, 4000, null, null)
        val (left, right) = Pair(100 until 500, 580 until 1000)
        assertTrue("whole, single columns are grey", contrast(draw(view), left) < 30)
        view.zoomBy(40f, 540f, 960f)
        settle { contrast(draw(view), left) > 200 && contrast(draw(view), right) > 200 }
        // The columns go on across the divider: both sides show the same pattern, shifted by whole periods.
        view.divider = 0f
        val restored = draw(view)
        view.divider = 1f
        val original = draw(view)
        for (x in 300..800) assertEquals(original.getPixel(x, line), restored.getPixel(x, line))
    }

    /** How far the lightest and the darkest pixel of the line are apart. */
    private fun contrast(picture: Bitmap, columns: IntRange): Int {
        val row = columns.map { Color.green(picture.getPixel(it, line)) }
        return row.max() - row.min()
    }

    @Test
    fun `a double tap zooms in and the next one out again`() {
        show(4000, 3000)
        doubleTap()
        assertTrue("zoomed to ${view.zoom}", view.zoom > 2)
        doubleTap()
        assertEquals(1f, view.zoom, 0.02f)
    }

    private fun doubleTap() {
        drag(view, 300f to 900f)
        org.robolectric.shadows.ShadowSystemClock.advanceBy(java.time.Duration.ofMillis(80))
        drag(view, 300f to 900f)
        settle()
    }

    @Test
    fun `another result keeps the zoom, another photo of the same size does not`() {
        show(4000, 4000)
        view.zoomBy(3f, 540f, 960f)
        show(4000, 4000, restored = Color.GREEN)
        assertEquals(3f, view.zoom, 0.02f)
        show(4000, 4000, photo = "another")
        assertEquals(1f, view.zoom, 0.02f)
        view.zoomBy(3f, 540f, 960f)
        view.show(null)
        show(4000, 4000, photo = "another")
        assertEquals("after none", 1f, view.zoom, 0.02f)
    }

    @Test
    fun `zoomed in, a drag away from the divider pans, and never past the edge`() {
        show(4000, 4000)
        view.zoomBy(3f, 540f, 960f)
        val divider = view.divider
        drag(view, 900f to 900f, 800f to 900f, 700f to 900f)
        assertEquals("the divider stays", divider, view.divider)
        repeat(20) { drag(view, 900f to 900f, 400f to 900f, 100f to 900f) }
        assertEquals("no gap at the right", Color.BLUE, draw(view).at(1070f))
    }

    @Test
    fun `the arrow keys move the divider, plus zooms, space shows the photo as it was`() {
        val start = view.divider
        assertTrue(view.dispatchKeyEvent(KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_DPAD_LEFT)))
        assertEquals(start - 0.05f, view.divider, 0.001f)
        view.dispatchKeyEvent(KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_PLUS))
        settle()
        assertEquals(2f, view.zoom, 0.02f)
        view.dispatchKeyEvent(KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_SPACE))
        assertTrue(view.showsOriginal)
        view.dispatchKeyEvent(KeyEvent(KeyEvent.ACTION_UP, KeyEvent.KEYCODE_SPACE))
        assertFalse(view.showsOriginal)
    }

    @Test
    fun `a result of half the size is shown in step with the photo`() {
        view.show(
            Pictures("half", "half", "x", 400, 400, {
                PaintedImage(400, 400, Color.RED)
            }, { PaintedImage(200, 200, Color.BLUE) }),
        )
        settle { view.ready }
        view.divider = 0f
        val picture = draw(view)
        assertEquals(Color.BLUE, picture.at(30f))
        assertEquals(Color.BLUE, picture.at(1050f))
    }

    @Test
    fun `photos of one pixel, and strips, are shown and zoomed without harm`() {
        for ((width, height) in listOf(1 to 1, 20_000 to 30, 30 to 20_000)) {
            show(width, height)
            draw(view)
            view.zoomBy(100f, 500f, 900f)
            view.panBy(-5000f, 5000f)
            settle()
            draw(view)
        }
    }

    @Test
    fun `a picture that cannot be read is told once and leaves the view empty`() {
        var told = 0
        view.onUnreadable = { told++ }
        view.show(Pictures("bad", "bad", "x", 40, 40, { throw java.io.IOException("gone") }, null))
        settle { told > 0 }
        draw(view)
        assertEquals(1, told)
    }

    @Test
    @Config(qualifiers = "ar-ldrtl-w360dp-h640dp-port-notnight-xxhdpi")
    fun `right to left, the photo is at the right`() {
        val picture = draw(view)
        assertEquals(Color.BLUE, picture.at(100f))
        assertEquals(Color.RED, picture.at(980f))
        drag(view, 540f to 900f, 500f to 900f, 340f to 900f)
        assertTrue("the divider follows the finger to ${view.dividerX}", abs(view.dividerX - 340) < 40)
    }
}
