package org.anyir.demo.ui

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.anyir.demo.R

/** What the panels ask of the screen that they stand on. */
interface PanelActions {
    /** From the pictures on the phone. */
    fun choosePhoto()

    /** From files, whatever app has them. */
    fun browseFiles()

    fun restoreSample()

    fun restore()

    fun cancel()

    fun save()

    fun share()

    fun showModels()

    fun strength(value: Float)
}

/** What stands below (or beside) the photo; one class for each [Screen], made anew when the screen changes. */
abstract class Panel(val view: View) {
    protected val words = Words(view.context)

    abstract fun show(state: UiState)

    protected fun text(id: Int): TextView = view.part(id)

    protected fun on(id: Int, action: () -> Unit) = view.part<View>(id).setOnClickListener { action() }

    protected fun onChoosing(actions: PanelActions) {
        on(R.id.choose, actions::choosePhoto)
        on(R.id.browse, actions::browseFiles)
    }

    protected fun string(id: Int, vararg values: Any): String = view.resources.getString(id, *values)

    protected fun counted(id: Int, count: Int, vararg values: Any): String =
        view.resources.getQuantityString(id, count, *values)

    /** Why nothing can be restored, or null. */
    protected fun modelProblem(state: UiState): String? = when (state.models) {
        Models.NONE -> string(R.string.no_model, modelFolder(view.context))
        Models.NONE_RUNS -> string(R.string.no_engine)
        Models.LOOKING, Models.SOME -> null
    }

    companion object {
        /** The panel of [screen], laid out for [parent] but not added to it. */
        fun of(screen: Screen, parent: ViewGroup, actions: PanelActions): Panel {
            fun inflate(layout: Int): View =
                checkNotNull(LayoutInflater.from(parent.context).inflate(layout, parent, false))
            return when (screen) {
                Screen.START -> StartPanel(inflate(R.layout.panel_start), actions)
                Screen.OPENING -> OpeningPanel(inflate(R.layout.panel_opening), actions)
                Screen.READY -> ReadyPanel(inflate(R.layout.panel_ready), actions)
                Screen.RUNNING -> RunningPanel(inflate(R.layout.panel_running), actions)
                Screen.DONE -> DonePanel(inflate(R.layout.panel_done), actions)
                Screen.FAILED -> FailedPanel(inflate(R.layout.panel_failed), actions)
            }
        }
    }
}

/** The view of this id, which the layout has. */
fun <T : View> View.part(id: Int): T = checkNotNull(findViewById(id))

/** Shows [words], or nothing at all; unchanged words are not announced again. */
fun TextView.show(words: String?) {
    if (text.toString() != words.orEmpty()) text = words
    visibility = if (words.isNullOrEmpty()) View.GONE else View.VISIBLE
}
