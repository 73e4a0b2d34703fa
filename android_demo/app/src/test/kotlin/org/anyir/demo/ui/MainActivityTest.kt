package org.anyir.demo.ui

import android.graphics.Bitmap
import android.graphics.Canvas
import org.anyir.demo.R
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = "w360dp-h640dp-xxhdpi")
class MainActivityTest {
    @Test
    fun `the screen is laid out and drawn at the phone's size`() {
        val activity = Robolectric.buildActivity(MainActivity::class.java).setup().get()
        assertEquals("AnyIR", activity.getString(R.string.app_name))
        val view = activity.window.decorView
        assertEquals(1080, view.width)
        assertEquals(1920, view.height)
        val picture = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(picture))
        val pixels = IntArray(view.width * view.height)
        picture.getPixels(pixels, 0, view.width, 0, 0, view.width, view.height)
        assertTrue("the text is drawn", pixels.toSet().size > 10)
    }
}
