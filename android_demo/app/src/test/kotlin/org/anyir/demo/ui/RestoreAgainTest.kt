package org.anyir.demo.ui

import android.view.View
import org.anyir.demo.R
import org.anyir.demo.restore.JobsRule
import org.anyir.demo.restore.RestoreState
import org.anyir.demo.restore.RestoredPhoto
import org.anyir.demo.restore.TestEngine
import org.anyir.engines.EngineException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.RuleChain
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.io.File

/** From a result, another model is chosen and tried on the same photo. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
class RestoreAgainTest {
    private val jobs = JobsRule()
    private val app = AppRule(jobs)
    private var fails = false

    @get:Rule
    val rules: RuleChain = RuleChain.outerRule(jobs).around(app)

    private val result: RestoredPhoto get() = (jobs.jobs.state as RestoreState.Done).result

    private fun offered(activity: MainActivity) = activity.window.decorView.part<View>(R.id.again).isShown

    /** The sample photo restored by one model, then the other one chosen in the list. */
    private fun anotherChosen(): MainActivity {
        app.engines(listOf(TestEngine(opening = { if (fails) throw EngineException("The engine refuses it.") })))
        for (precision in listOf("fp16", "fp32")) {
            app.push(testModelFiles(File(jobs.app.cacheDir, precision), precision, precision = precision))
        }
        val activity = app.open()
        settle { activity.window.decorView.part<View>(R.id.restore_sample).isEnabled }
        activity.tap(R.id.restore_sample)
        app.runService()
        settle { activity.photo.comparing }
        assertEquals("fp32", result.model)
        assertFalse("nothing else is chosen", offered(activity))

        val other = app.openModels().window.decorView.all().filterIsInstance<ChoiceRow>()
        other.first { "16-bit" in it.contentDescription }.performClick()
        settle()
        return app.open().also { settle { it.photo.comparing && offered(it) } }
    }

    @Test
    fun `a result is followed by another model's, and nothing is offered any more`() {
        val activity = anotherChosen()
        assertTrue(activity.says("Restore again with tiny, 16-bit on Test engine"))
        assertTrue(activity.says("Save it to keep both."))
        val first = result.file
        activity.tap(R.id.again)
        app.runService()
        settle { activity.photo.comparing && jobs.jobs.state is RestoreState.Done }
        assertEquals("fp16", result.model)
        assertFalse(first.exists())
        assertFalse(offered(activity))
        assertFalse(activity.says("Save it to keep both."))
    }

    @Test
    fun `a model that fails leaves the first result`() {
        val activity = anotherChosen()
        val first = result.file
        fails = true
        activity.tap(R.id.again)
        app.runService()
        settle { activity.says("The engine refuses it.") }
        assertEquals("fp32", result.model)
        assertEquals(first, result.file)
        assertTrue("it can be tried again", offered(activity))
    }
}
