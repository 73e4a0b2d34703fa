package org.anyir.demo.ui

import android.os.Build
import android.view.View
import android.widget.Button
import android.widget.ProgressBar
import android.widget.SeekBar
import org.anyir.demo.R
import org.anyir.demo.photo.PhotoInfo
import java.text.NumberFormat

/** The first screen: the sample photo is one tap from restored. */
class StartPanel(view: View, actions: PanelActions) : Panel(view) {
    init {
        on(R.id.restore_sample, actions::restoreSample)
        onChoosing(actions)
    }

    override fun show(state: UiState) {
        text(R.id.problem).show(modelProblem(state))
        view.part<View>(R.id.restore_sample).isEnabled = state.canRestore
    }
}

/** A photo is being copied and looked at, which takes as long as the app that it comes from likes. */
class OpeningPanel(view: View, actions: PanelActions) : Panel(view) {
    init {
        on(R.id.cancel, actions::cancel)
    }

    override fun show(state: UiState) = Unit
}

/** A photo is chosen: what it is, what will be lost, with what it will be restored. */
class ReadyPanel(view: View, actions: PanelActions) : Panel(view) {
    init {
        on(R.id.restore, actions::restore)
        onChoosing(actions)
        on(R.id.choice, actions::showModels)
    }

    override fun show(state: UiState) {
        val photo = state.photo ?: return
        text(R.id.facts).show(string(R.string.photo_facts, photo.name, photo.width, photo.height))
        text(R.id.notes).show(notes(photo, state.interrupted).joinToString("\n"))
        text(R.id.problem).show(modelProblem(state))
        text(R.id.choice).show(
            when {
                state.choice != null -> string(
                    R.string.choice,
                    words.model(state.choice.model.manifest),
                    state.choice.engine.label,
                )
                state.models == Models.LOOKING -> string(R.string.looking_for_models)
                else -> string(R.string.show_models)
            },
        )
        val restore = view.part<Button>(R.id.restore)
        restore.setText(if (photo.onlyHalfSize) R.string.restore_half else R.string.restore)
        restore.isEnabled = state.canRestore
    }

    private fun notes(photo: PhotoInfo, interrupted: Boolean): List<String> = buildList {
        if (interrupted) add(string(R.string.interrupted))
        if (photo.onlyHalfSize) {
            val size = NumberFormat.getNumberInstance().apply { maximumFractionDigits = 1 }.format(photo.megapixels)
            val most = (PhotoInfo.MAX_PIXELS / 1_000_000).toInt()
            add(string(R.string.too_large, size, most, photo.width / 2, photo.height / 2))
        }
        addAll(photo.notes)
    }
}

/** How far the restoration is. */
class RunningPanel(view: View, actions: PanelActions) : Panel(view) {
    init {
        on(R.id.cancel, actions::cancel)
    }

    override fun show(state: UiState) {
        val progress = state.progress ?: return
        val tiles = progress.tiles
        val all = progress.total - 1
        val bar = view.part<ProgressBar>(R.id.progress)
        bar.isIndeterminate = progress.total == 0
        bar.max = maxOf(1, progress.total)
        bar.progress = progress.done
        text(R.id.tiles).show(
            when {
                progress.cancelling -> string(R.string.cancelling)
                progress.total == 0 -> string(R.string.loading_model)
                tiles == null -> string(R.string.looking)
                else -> counted(R.plurals.tiles_done, all, tiles, all)
            },
        )
        text(R.id.need).show(progress.need?.let(words::need))
        text(R.id.left).show(progress.millisLeft?.takeIf { !progress.cancelling }?.let(words::left))
        view.part<View>(R.id.cancel).isEnabled = !progress.cancelling
    }
}

/** The result: how strong, what made it, and where it goes. */
class DonePanel(view: View, private val actions: PanelActions) : Panel(view) {
    private val bar = view.part<SeekBar>(R.id.strength)

    init {
        on(R.id.save, actions::save)
        on(R.id.share, actions::share)
        on(R.id.again, actions::restore)
        onChoosing(actions)
        bar.setOnSeekBarChangeListener(
            object : SeekBar.OnSeekBarChangeListener {
                override fun onProgressChanged(bar: SeekBar, percent: Int, fromUser: Boolean) {
                    showStrength(percent)
                    if (fromUser) actions.strength(percent / 100f)
                }

                override fun onStartTrackingTouch(bar: SeekBar) = Unit

                override fun onStopTrackingTouch(bar: SeekBar) = Unit
            },
        )
        showStrength(bar.progress)
    }

    /** Puts the slider where the picture's strength already is. */
    fun setStrength(strength: Float) {
        bar.progress = Math.round(strength * 100)
        showStrength(bar.progress)
    }

    private fun showStrength(percent: Int) {
        text(R.id.strength_value).text = string(R.string.strength_value, percent)
        if (Build.VERSION.SDK_INT >= 30) bar.stateDescription = string(R.string.strength_state, percent)
    }

    override fun show(state: UiState) {
        val result = state.result ?: return
        val half = string(R.string.half_result, result.width, result.height).takeIf { result.halfSize }
        text(R.id.need).show(words.need(result.need))
        text(R.id.ran).show(listOfNotNull(words.ran(result), half).joinToString("\n"))
        text(R.id.problem).show((state.saving as? Saving.Failed)?.message)
        text(R.id.saved).show(saved(state))
        val save = view.part<Button>(R.id.save)
        save.setText(if (result.saved) R.string.save_again else R.string.save)
        showAgain(state)
        val buttons = listOf(save, view.part<Button>(R.id.share), view.part<Button>(R.id.again))
        for (button in buttons) button.isEnabled = state.saving != Saving.Now
    }

    /** Another model or engine was chosen since: the photo can be restored with it. */
    private fun showAgain(state: UiState) {
        val words = state.again?.let {
            string(R.string.restore_again, words.model(it.model.manifest), it.engine.label)
        }
        text(R.id.again).show(words)
        text(R.id.again_hint).show(string(R.string.restore_again_hint).takeIf { words != null && state.unsaved })
    }

    private fun saved(state: UiState): String? = when (val saving = state.saving) {
        Saving.Now -> string(R.string.saving)
        is Saving.Done -> {
            val place = saving.made.place?.let { string(R.string.saved_in, saving.made.name, it) }
            (listOfNotNull(place) + saving.made.notes).joinToString("\n")
        }
        Saving.Not, is Saving.Failed -> string(R.string.saved_before).takeIf { state.result?.saved == true }
    }
}

/** Something went wrong: one sentence, and what can be done. */
class FailedPanel(view: View, actions: PanelActions) : Panel(view) {
    init {
        on(R.id.again, actions::restore)
        onChoosing(actions)
        on(R.id.show_models, actions::showModels)
    }

    override fun show(state: UiState) {
        text(R.id.problem).show(state.message)
        val again = state.photo != null && state.canRestore
        view.part<View>(R.id.again).visibility = if (again) View.VISIBLE else View.GONE
        view.part<View>(R.id.show_models).visibility = if (state.photo != null) View.VISIBLE else View.GONE
    }
}
