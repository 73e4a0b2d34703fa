package org.anyir.demo.ui

import android.graphics.Color
import org.anyir.demo.R
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import kotlin.math.max
import kotlin.math.min

/** Text can be read in the light and in the dark theme: WCAG's contrast of 4.5 to 1. */
@RunWith(RobolectricTestRunner::class)
class ColoursTest {
    private val resources get() = RuntimeEnvironment.getApplication().resources

    @Test
    @Config(qualifiers = "notnight")
    fun light() = checkPairs()

    @Test
    @Config(qualifiers = "night")
    fun dark() = checkPairs()

    @Test
    fun `the two themes differ`() {
        RuntimeEnvironment.setQualifiers("notnight")
        val light = resources.getColor(R.color.surface, null)
        RuntimeEnvironment.setQualifiers("night")
        assertNotEquals(light, resources.getColor(R.color.surface, null))
    }

    private fun checkPairs() {
        for (text in listOf(R.color.text, R.color.text_quiet, R.color.accent, R.color.error)) {
            for (ground in listOf(R.color.surface, R.color.surface_raised)) checkPair(text, ground)
        }
        checkPair(R.color.on_accent, R.color.accent)
        checkPair(R.color.on_photo, R.color.surround)
    }

    private fun checkPair(text: Int, ground: Int) {
        val (a, b) = Pair(luminance(text), luminance(ground))
        val contrast = (max(a, b) + 0.05) / (min(a, b) + 0.05)
        val names = "${resources.getResourceEntryName(text)} on ${resources.getResourceEntryName(ground)}"
        assertTrue("$names: $contrast", contrast >= 4.5)
    }

    private fun luminance(id: Int): Double = Color.luminance(resources.getColor(id, null)).toDouble()
}
