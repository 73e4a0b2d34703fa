package org.anyir.demo.benchmark

import android.os.Looper
import org.anyir.demo.restore.JobsRule
import org.anyir.demo.restore.RestoreState
import org.anyir.demo.restore.TestEngine
import org.anyir.demo.restore.testModel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowLog
import java.util.concurrent.CountDownLatch

/** A restoration and a benchmark would take the processor from each other: whoever comes second is refused. */
@RunWith(RobolectricTestRunner::class)
class BesideRestoringTest {
    @get:Rule
    val test = JobsRule()

    private fun measure() = BenchmarkRun.start(test.app, mapOf("runs" to 1))

    /** Without tiles on the phone a benchmark ends at once, as soon as the main thread hears of it. */
    private fun await() {
        val end = System.nanoTime() + 60_000_000_000
        while (BenchmarkRun.state is BenchmarkState.Running && System.nanoTime() < end) {
            shadowOf(Looper.getMainLooper()).idle()
            Thread.sleep(5)
        }
    }

    @Test
    fun `nothing is measured while a photo is restored`() {
        test.choose("upright.png")
        val goOn = CountDownLatch(1)
        test.jobs.start(testModel(), TestEngine(running = { goOn.await() }))
        test.startService()
        measure()
        val message = test.sentence((BenchmarkRun.state as BenchmarkState.Failed).message)
        assertTrue(message, "A photo is being restored" in message)
        assertEquals("failed: $message", ShadowLog.getLogsForTag(BenchmarkRun.TAG).last().msg)
        assertTrue("the restoration goes on", test.jobs.state is RestoreState.Running)
        goOn.countDown()
        test.settle()
        assertTrue(test.jobs.state is RestoreState.Done)

        measure()
        assertTrue("afterwards it is", BenchmarkRun.state is BenchmarkState.Running)
        await()
        assertFalse("restored" in (BenchmarkRun.state as BenchmarkState.Failed).message)
    }

    @Test
    fun `no photo is restored while the phone is measured`() {
        test.choose("upright.png")
        measure()
        test.jobs.start(testModel(), TestEngine())
        assertTrue(test.jobs.state is RestoreState.Ready)
        assertTrue("is being measured" in test.sentence(test.messages.single()))
        await()
        assertTrue("afterwards it is", test.restore() is RestoreState.Done)
    }
}
