package org.anyir.demo.ui

import android.content.Context
import org.anyir.core.TilePlan
import org.anyir.core.defaultOverlap
import org.anyir.demo.models.Choice
import org.anyir.demo.restore.RestoredPhoto

/** What the screens remember: the chosen model and engine, and how long restorations took. Any thread. */
class Settings(context: Context) {
    private val stored = context.getSharedPreferences("ui", Context.MODE_PRIVATE)

    var chosen: Chosen?
        get() {
            val model = stored.getString("model", null) ?: return null
            return Chosen(model, stored.getString("engine", null) ?: return null)
        }
        set(value) = stored.edit().putString("model", value?.model).putString("engine", value?.engine).apply()

    /** Whether the user was asked to allow notifications. */
    var askedForNotifications: Boolean
        get() = stored.getBoolean("asked", false)
        set(value) = stored.edit().putBoolean("asked", value).apply()

    /** Milliseconds that a tile took when a photo was restored with [choice] on this phone; null: none was. */
    fun millis(choice: Choice): Double? = stored.getFloat(key(choice), 0f).takeIf { it > 0 }?.toDouble()

    /**
     * Remembers how long a restoration took, with loading the model and reading the photo. The look at the photo counts
     * as one more tile, by its pixels.
     */
    fun remember(choice: Choice, result: RestoredPhoto) {
        val (tile, size) = choice.model.manifest.run { tile to tileSize }
        val tiles = TilePlan(result.width, result.height, size, defaultOverlap(size.shorter)).size
        val look = tile.toFloat() * tile / size.pixels
        stored.edit().putFloat(key(choice), result.millis / (look + tiles)).apply()
    }

    private fun key(choice: Choice) = "millis ${choice.engine.id} ${choice.model.manifest.sha256}"
}
