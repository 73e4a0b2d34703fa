package org.anyir.demo.ui

import android.content.Intent
import android.view.View
import android.widget.RadioButton
import org.anyir.demo.restore.JobsRule
import org.anyir.demo.restore.TestEngine
import org.anyir.engines.NOT_IN_THIS_BUILD
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.RuleChain
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.File

/** The list of models and engines, over files in the phone's folder. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class ModelsActivityTest {
    private val jobs = JobsRule()
    private val app = AppRule(jobs)

    @get:Rule
    val rules: RuleChain = RuleChain.outerRule(jobs).around(app)

    private fun open(): ModelsActivity {
        app.engines(listOf(TestEngine(), TestEngine(id = "other", unavailable = NOT_IN_THIS_BUILD)))
        app.push(testModelFiles(File(jobs.app.cacheDir, "a"), "half", precision = "fp16"))
        app.push(testModelFiles(File(jobs.app.cacheDir, "a"), "full", precision = "fp32"))
        app.push(listOf(File(jobs.app.cacheDir, "lonely.tflite").apply { writeText("x") }))
        return app.openModels()
    }

    private fun ModelsActivity.rows() = window.decorView.all().filterIsInstance<ChoiceRow>()

    private fun ModelsActivity.row(words: String) = rows().first { words in it.contentDescription }

    private fun chosen(row: ChoiceRow) = row.all().filterIsInstance<RadioButton>().single().isChecked

    @Test
    fun `each model has its size, precision, what it is good for, and no speed before it was measured`() {
        val activity = open()
        val half = activity.row("tiny, 16-bit")
        val words = half.contentDescription.toString()
        assertTrue(words, "tiles of 64 × 64" in words && "Half the size" in words && "Not measured" in words)
        assertEquals(1, activity.rows().count { "Recommended" in it.contentDescription })
    }

    @Test
    fun `an engine that is not in the build says so and cannot be chosen`() {
        val row = open().row("Not in this build")
        assertFalse(row.isEnabled)
        assertFalse(row.performClick())
    }

    @Test
    fun `a refused model is named with the reason`() {
        val activity = open()
        assertTrue(activity.says("lonely.tflite"))
        assertTrue(activity.says("There is no manifest lonely.json beside it."))
        assertTrue("and how to add one", activity.says("adb push build/phone/models/."))
    }

    @Test
    fun `a tap chooses, a radio button to screen readers, and the choice stays`() {
        val activity = open()
        val other = activity.rows().first { "tiny" in it.contentDescription && !chosen(it) }
        val words = other.contentDescription.toString()
        other.performClick()
        settle { chosen(activity.row(words)) }
        val node = checkNotNull(activity.row(words).createAccessibilityNodeInfo())
        assertEquals(RadioButton::class.java.name, node.className)
        assertTrue(node.isCheckable && node.isChecked)
        app.newProcess()
        assertTrue(chosen(app.openModels().row(words)))
    }

    @Test
    fun `how long a restoration took is shown beside the model that made it`() {
        open()
        val main = app.open()
        settle { main.window.decorView.part<View>(org.anyir.demo.R.id.restore_sample).isEnabled }
        main.tap(org.anyir.demo.R.id.restore_sample)
        app.runService()
        settle { main.photo.comparing }
        val activity = app.openModels()
        val measured = activity.rows().filter { "On this phone:" in it.contentDescription }
        assertEquals(1, measured.count { "tiny" in it.contentDescription })
    }

    @Test
    fun `the benchmark is one tap away`() {
        val activity = open()
        activity.window.decorView.all().first { textOf(it) == "Measure on this phone" }.performClick()
        val started: Intent = shadowOf(activity).nextStartedActivity
        assertEquals("org.anyir.demo.BenchmarkActivity", started.component?.className)
    }
}
