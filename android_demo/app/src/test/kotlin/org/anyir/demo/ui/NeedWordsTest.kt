package org.anyir.demo.ui

import org.anyir.core.Need
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** What a photo needs, in words. */
@RunWith(RobolectricTestRunner::class)
class NeedWordsTest {
    private val words = Words(RuntimeEnvironment.getApplication())

    @Test
    fun `every need is one sentence with its number and the bound`() {
        val figures = { change: String -> "($change of 255; a fault is 2.5 or more)." }
        val sentences = mapOf(
            Need(0.94, 0.5, 0.1, -0.6) to "This photo looks fine: little changes ${figures("0.94")}",
            Need(2.49, 0.0, 9.0, -9.0) to "This photo looks fine: little changes ${figures("2.49")}",
            Need(24.31, -30.0, 12.0, -0.4) to "Needs less haze, rain or snow ${figures("24.31")}",
            Need(24.0, -30.0, 12.0, -1.5) to "Needs less haze, rain or snow, and less noise ${figures("24")}",
            Need(40.0, 30.0, 12.0, 4.0) to "Needs more light ${figures("40")}",
            Need(3.0, 0.0, 0.0, 0.5) to "Needs a sharper picture ${figures("3")}",
            Need(3.0, -3.0, 0.0, 0.0) to "Needs restoring ${figures("3")}",
        )
        for ((need, sentence) in sentences) assertEquals(sentence, words.need(need))
    }
}
