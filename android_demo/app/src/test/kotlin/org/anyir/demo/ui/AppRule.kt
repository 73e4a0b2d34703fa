package org.anyir.demo.ui

import android.app.Activity
import android.os.Bundle
import android.view.View
import android.widget.TextView
import org.anyir.demo.R
import org.anyir.demo.models.AppModels
import org.anyir.demo.restore.JobsRule
import org.anyir.engines.EngineFactory
import org.anyir.engines.Engines
import org.junit.rules.ExternalResource
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import java.io.File

/** The whole app: its screens over its jobs, with the engines and models that a test gives it. */
class AppRule(private val jobs: JobsRule) : ExternalResource() {
    private val controllers = ArrayList<ActivityController<out Activity>>()
    private val before = Engines.all

    override fun after() {
        controllers.forEach { it.pause().stop().destroy() }
        engines(before)
        newProcess()
    }

    /** Makes [factories] the only engines. */
    fun engines(factories: List<EngineFactory>) {
        val field = Engines::class.java.getDeclaredField("factories").apply { isAccessible = true }
        @Suppress("UNCHECKED_CAST")
        (field.get(Engines) as MutableList<EngineFactory>).apply {
            clear()
            addAll(factories)
        }
    }

    /** What the process remembers of models is gone. */
    fun newProcess() {
        AppModels::class.java.getDeclaredField("instance").apply { isAccessible = true }.set(null, null)
    }

    /** Copies models to where `adb push` puts them. */
    fun push(files: List<File>) {
        val folder = checkNotNull(jobs.app.getExternalFilesDir("models"))
        files.forEach { it.copyTo(File(folder, it.name), overwrite = true) }
        newProcess()
    }

    fun open(intent: android.content.Intent? = null): MainActivity {
        val controller = Robolectric.buildActivity(MainActivity::class.java, intent).setup()
        controllers += controller
        settle()
        return controller.get()
    }

    /** What another app sends while the newest activity is open. */
    fun share(intent: android.content.Intent) {
        controllers.last().pause().newIntent(intent).resume()
    }

    /** Rotates or otherwise makes the newest activity anew. */
    fun recreate(): MainActivity {
        val controller = controllers.last().recreate()
        settle()
        return controller.get() as MainActivity
    }

    /** What happens when the process ends behind another app and the user comes back: only what was saved is left. */
    fun reopen(): MainActivity {
        val saved = Bundle()
        controllers.removeAt(controllers.lastIndex).pause().stop().saveInstanceState(saved).destroy()
        val controller = Robolectric.buildActivity(MainActivity::class.java).setup(saved)
        controllers += controller
        settle()
        return controller.get()
    }

    fun openModels(): ModelsActivity {
        val controller = Robolectric.buildActivity(ModelsActivity::class.java).setup()
        controllers += controller
        settle {
            controller.get().window.decorView.all().any { it is ChoiceRow || textOf(it).startsWith("There is no") }
        }
        return controller.get()
    }

    /** Starts the service that a tap asked for, as Android does. */
    fun runService() {
        settle { shadowOf(jobs.app).peekNextStartedService() != null }
        jobs.startService()
    }
}

fun textOf(view: View): String = (view as? TextView)?.text?.toString().orEmpty()

/** All that the activity's window says at this moment. */
fun Activity.texts(): List<String> =
    window.decorView.all().filter { it.isShown }.map(::textOf).filter { it.isNotEmpty() }

fun Activity.says(words: String): Boolean = texts().any { words in it }

/** Taps what is shown under this id; it must be there and enabled. */
fun Activity.tap(id: Int) {
    val view = window.decorView.part<View>(id)
    check(view.isShown && view.isEnabled) { "${resources.getResourceEntryName(id)} cannot be tapped" }
    view.performClick()
    settle()
}

val Activity.photo: CompareView get() = window.decorView.part(R.id.photo)
