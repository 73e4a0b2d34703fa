package org.anyir.demo.ui

import android.os.Build
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.anyir.demo.R

/** The views of the main screen: the photo, and the panel that belongs to the state. Holds no state of its own. */
class MainScreen(private val root: View, private val actions: PanelActions, close: () -> Unit) {
    val photo: CompareView = root.part(R.id.photo)
    private val holder = root.part<ViewGroup>(R.id.panel)
    private val scroll = root.part<PanelScroll>(R.id.panel_scroll)
    private val notice = root.part<TextView>(R.id.notice)
    private val closeButton = root.part<View>(R.id.close)
    private var screen: Screen? = null
    private var panel: Panel? = null

    init {
        closeButton.setOnClickListener { close() }
        root.part<View>(R.id.models).setOnClickListener { actions.showModels() }
    }

    fun show(state: UiState) {
        if (state.screen != screen) change(state.screen)
        panel?.show(state)
        if (state.notice != null && state.notice != notice.text.toString()) scroll.scrollTo(0, 0)
        notice.show(state.notice)
        closeButton.visibility = if (state.canClose) View.VISIBLE else View.GONE
        val pictures = if (state.photo == null && state.screen != Screen.START) {
            null
        } else {
            picturesOf(state.photo, state.result, root.context)
        }
        photo.show(pictures)
        (panel as? DonePanel)?.setStrength(photo.strength)
    }

    private fun change(next: Screen) {
        // A new result starts at full strength; one that is shown again after a rotation keeps its own.
        if (screen != null && next == Screen.DONE) photo.strength = 1f
        screen = next
        val fresh = Panel.of(next, holder, actions)
        panel = fresh
        holder.removeAllViews()
        holder.addView(fresh.view)
        scroll.scrollTo(0, 0)
        if (Build.VERSION.SDK_INT >= 28) holder.accessibilityPaneTitle = root.resources.getString(titleOf(next))
    }

    private fun titleOf(screen: Screen): Int = when (screen) {
        Screen.START -> R.string.start_title
        Screen.OPENING -> R.string.opening
        Screen.READY -> R.string.pane_ready
        Screen.RUNNING -> R.string.restoring
        Screen.DONE -> R.string.pane_done
        Screen.FAILED -> R.string.pane_failed
    }
}
