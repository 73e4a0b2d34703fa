package org.anyir.demo.ui

import android.app.Activity
import android.app.AlertDialog
import android.net.Uri
import android.os.Bundle
import org.anyir.demo.R

/**
 * Asks whether a result that was not saved may be given up. The question outlives its dialog: it is asked again after a
 * rotation, or when the app is opened again after its process ended.
 *
 * @param agreed told which photo is to be opened in the result's place, or null where it is only closed
 */
class UnsavedQuestion(private val activity: Activity, saved: Bundle?, private val agreed: (Uri?) -> Unit) {
    private var asked = saved?.getBoolean(ASKED) ?: false

    @Suppress("DEPRECATION") // the typed form is younger than minSdk
    private var photo: Uri? = saved?.getParcelable(PHOTO)
    private var dialog: AlertDialog? = null

    fun ask(photo: Uri?) {
        hide()
        asked = true
        this.photo = photo
        show()
    }

    /** Shows the question that has no answer yet, if there is one. */
    fun show() {
        if (!asked || dialog != null) return
        dialog = AlertDialog.Builder(activity)
            .setTitle(R.string.close_title)
            .setMessage(R.string.close_text)
            .setPositiveButton(R.string.close_unsaved) { _, _ -> answered(true) }
            .setNegativeButton(R.string.keep) { _, _ -> answered(false) }
            .setOnCancelListener { answered(false) }
            .show()
    }

    /** Takes the dialog away from an activity that ends. */
    fun hide() {
        dialog?.dismiss()
        dialog = null
    }

    fun keepIn(state: Bundle) {
        state.putBoolean(ASKED, asked)
        state.putParcelable(PHOTO, photo)
    }

    private fun answered(yes: Boolean) {
        val next = photo
        asked = false
        photo = null
        dialog = null
        if (yes) agreed(next)
    }

    private companion object {
        const val ASKED = "asked"
        const val PHOTO = "photo instead"
    }
}
