package org.anyir.demo.ui

import android.Manifest
import android.app.Activity
import android.content.pm.PackageManager
import android.os.Build

/** What the app asks the user to allow. */
class Permissions(private val activity: Activity) {
    private val settings = Settings(activity)

    /** Asks, once, to show a restoration's progress as a notification. It runs in any case. */
    fun askToNotify() {
        if (Build.VERSION.SDK_INT < 33 || settings.askedForNotifications) return
        settings.askedForNotifications = true
        if (!has(Manifest.permission.POST_NOTIFICATIONS)) {
            activity.requestPermissions(arrayOf(Manifest.permission.POST_NOTIFICATIONS), NOTIFY)
        }
    }

    /** Whether pictures can be added to the gallery; where not, asks, and the activity is told. Android 10 asks nobody. */
    fun maySave(): Boolean {
        if (Build.VERSION.SDK_INT >= 29 || has(Manifest.permission.WRITE_EXTERNAL_STORAGE)) return true
        activity.requestPermissions(arrayOf(Manifest.permission.WRITE_EXTERNAL_STORAGE), SAVE)
        return false
    }

    /** An empty answer is a dialog that was interrupted. */
    fun granted(results: IntArray): Boolean = results.firstOrNull() == PackageManager.PERMISSION_GRANTED

    private fun has(name: String): Boolean = activity.checkSelfPermission(name) == PackageManager.PERMISSION_GRANTED

    companion object {
        const val NOTIFY = 2
        const val SAVE = 3
    }
}
