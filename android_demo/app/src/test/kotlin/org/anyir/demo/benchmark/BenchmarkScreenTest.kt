package org.anyir.demo.benchmark

import android.app.Activity
import android.view.View
import org.anyir.core.benchmark.BenchmarkPlan
import org.anyir.demo.R
import org.anyir.demo.ui.part
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.time.LocalDateTime

/** What a tap on the benchmark's screen asks for. */
@RunWith(RobolectricTestRunner::class)
class BenchmarkScreenTest {
    private var now = LocalDateTime.of(2026, 3, 9, 8, 5, 7)
    private val asked = ArrayList<Map<String, Any>>()

    private fun taps(): List<BenchmarkPlan> {
        val activity = Robolectric.buildActivity(Activity::class.java).create().get()
        activity.setTheme(R.style.Theme_AnyIR)
        activity.setContentView(R.layout.benchmark)
        val root = activity.window.decorView
        BenchmarkScreen(root, { asked += it }, {}, {}, { now })
        for (id in listOf(R.id.quick, R.id.thorough, R.id.sustained)) root.part<View>(id).performClick()
        return asked.map { BenchmarkPlan.parse(it) }
    }

    @Test
    fun `each kind and each time has a file of its own`() {
        val files = taps().map { it.out }
        assertEquals(
            listOf("quick-20260309-080507.json", "thorough-20260309-080507.json", "sustained-20260309-080507.json"),
            files,
        )
        now = now.plusSeconds(1)
        assertEquals("none is written over", 6, taps().map { it.out }.toSet().size)
    }

    @Test
    @Config(qualifiers = "ar-rEG")
    fun `the name has plain digits in every language`() {
        assertEquals("quick-20260309-080507.json", taps().first().out)
    }
}
