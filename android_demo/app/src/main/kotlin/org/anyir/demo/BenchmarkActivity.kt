package org.anyir.demo

import android.app.Activity
import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.WindowManager
import org.anyir.demo.benchmark.BenchmarkRun
import org.anyir.demo.benchmark.BenchmarkScreen
import org.anyir.demo.benchmark.BenchmarkState
import org.anyir.demo.ui.drawEdgeToEdge
import org.anyir.demo.ui.part

/**
 * Measures every program on this phone, on its screen or started by adb:
 *
 *     adb shell am start -n org.anyir.demo/.BenchmarkActivity --es models all --es engines all \
 *         --ei runs 30 --ei warmup 5 --ei sustain_s 0 --es out run1.json
 *
 * The manifest lets only the app itself and adb's shell start it; what they send is checked all the same.
 */
class BenchmarkActivity : Activity() {
    private lateinit var screen: BenchmarkScreen

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.benchmark)
        val root = window.decorView.part<View>(R.id.root)
        screen = BenchmarkScreen(root, { BenchmarkRun.start(this, it) }, BenchmarkRun::stop, ::finish)
        drawEdgeToEdge(root)
        // From the recent apps an intent comes again that was taken before.
        val again = intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0
        if (savedInstanceState == null && !again) startFrom(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        startFrom(intent)
    }

    override fun onStart() {
        super.onStart()
        BenchmarkRun.listener = ::show
        show(BenchmarkRun.state)
    }

    override fun onStop() {
        BenchmarkRun.listener = null
        if (!isChangingConfigurations) BenchmarkRun.left()
        super.onStop()
    }

    private fun show(state: BenchmarkState) {
        val keep = WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON
        if (state is BenchmarkState.Running) window.addFlags(keep) else window.clearFlags(keep)
        screen.show(state)
    }

    /** Extras ask for a benchmark at once; without any the screen waits for a tap. */
    private fun startFrom(intent: Intent) {
        val given = try {
            @Suppress("DEPRECATION") // the typed getters would take another type for a missing value
            intent.extras?.let { extras -> extras.keySet().associateWith { extras.get(it) } }.orEmpty()
        } catch (_: RuntimeException) { // an object of a class that this app does not have
            BenchmarkRun.refuse(getString(R.string.benchmark_unreadable))
            return
        }
        if (given.isEmpty()) return
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.O_MR1) {
            setTurnScreenOn(true)
            setShowWhenLocked(true)
        }
        BenchmarkRun.start(this, given)
    }
}
