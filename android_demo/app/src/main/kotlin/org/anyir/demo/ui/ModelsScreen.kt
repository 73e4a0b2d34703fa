package org.anyir.demo.ui

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import org.anyir.core.ModelEntry
import org.anyir.demo.R
import org.anyir.demo.models.Choice

/** Fills [list] with the models, the engines, what is refused, and how to add a model. */
class ModelsScreen(
    private val list: ViewGroup,
    private val choose: (Choice) -> Unit,
    private val measure: () -> Unit,
) {
    private val context = list.context
    private val words = Words(context)

    fun show(catalogue: Catalogue) {
        val focused = list.focusedChild?.let { list.indexOfChild(it) } ?: -1
        list.removeAllViews()
        if (catalogue.models.isEmpty()) {
            paragraph(context.getString(R.string.no_model, modelFolder(context)))
        } else {
            heading(R.string.models_heading)
            catalogue.models.forEach(::model)
        }
        heading(R.string.engines_heading)
        catalogue.engines.forEach { engine(it, catalogue.choice) }
        if (catalogue.choice != null) measureButton()
        if (catalogue.refused.isNotEmpty()) {
            heading(R.string.refused_heading)
            catalogue.refused.forEach(::refused)
        }
        heading(R.string.add_heading)
        paragraph(context.getString(R.string.add_text))
        add(
            inflate<TextView>(R.layout.text_command).apply {
                text = context.getString(R.string.add_command, modelFolder(context))
            },
        )
        if (focused >= 0) list.getChildAt(focused)?.requestFocus()
    }

    private fun model(row: ModelRow) {
        val manifest = row.model.manifest
        val size = manifest.tileSize
        val facts = context.getString(R.string.model_facts, words.size(manifest.bytes), size.height, size.width)
        val runs = row.choice != null
        add(
            ChoiceRow(context).apply {
                show(
                    name = words.model(manifest),
                    good = words.goodFor(manifest.precision),
                    details = "$facts\n${manifest.name}",
                    speed = if (runs) words.speed(row.speed) else context.getString(R.string.no_engine_here),
                    recommended = row.recommended,
                    chosen = row.chosen,
                    choose = row.choice?.let { { choose(it) } },
                )
            },
        )
    }

    private fun engine(row: EngineRow, choice: Choice?) {
        val problem = when (val obstacle = row.obstacle) {
            is Obstacle.Unavailable -> words.sentence(obstacle.reason)
            Obstacle.OtherModels -> context.getString(R.string.engine_wrong_model)
            null -> null
        }
        val model = choice?.model
        add(
            ChoiceRow(context).apply {
                show(
                    name = row.engine.label,
                    good = problem,
                    details = null,
                    speed = words.speed(row.speed).takeIf { problem == null && model != null },
                    recommended = false,
                    chosen = row.chosen,
                    choose = if (problem == null && model != null) {
                        { choose(Choice(model, row.engine)) }
                    } else {
                        null
                    },
                )
            },
        )
    }

    private fun refused(entry: ModelEntry.Refused) = paragraph("${entry.file.name}\n${entry.reason}")

    private fun measureButton() {
        val button = inflate<Button>(R.layout.button_measure)
        button.setOnClickListener { measure() }
        add(button)
    }

    private fun heading(id: Int) = add(inflate<TextView>(R.layout.text_heading).apply { setText(id) })

    private fun paragraph(words: String) = add(inflate<TextView>(R.layout.text_paragraph).apply { text = words })

    @Suppress("UNCHECKED_CAST")
    private fun <T : View> inflate(layout: Int): T =
        checkNotNull(LayoutInflater.from(context).inflate(layout, list, false)) as T

    private fun add(view: View) {
        val size = view.layoutParams ?: LinearLayout.LayoutParams(
            LinearLayout.LayoutParams.MATCH_PARENT,
            LinearLayout.LayoutParams.WRAP_CONTENT,
        ).apply { bottomMargin = list.resources.getDimensionPixelSize(R.dimen.gap) }
        list.addView(view, size)
    }
}
