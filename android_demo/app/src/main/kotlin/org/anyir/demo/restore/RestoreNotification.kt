package org.anyir.demo.restore

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.graphics.drawable.Icon
import android.os.Build
import android.os.SystemClock
import org.anyir.demo.R

/** The notification of a restoration: tiles done, time left, and a button that cancels. */
internal class RestoreNotification(private val context: Context) {
    private val manager = checkNotNull(context.getSystemService(NotificationManager::class.java))
    private var shown = 0L
    private var cancelling = false

    init {
        val name = context.getString(R.string.restore_channel)
        manager.createNotificationChannel(NotificationChannel(CHANNEL, name, NotificationManager.IMPORTANCE_LOW))
    }

    /**
     * Shows [state], at most twice a second: Android drops what comes faster. The last tile and a cancellation are
     * always shown, as nothing may follow them for long.
     */
    fun update(state: RestoreState.Running) {
        val now = SystemClock.elapsedRealtime()
        val awaited = state.done < state.total && state.cancelling == cancelling
        if (now - shown < INTERVAL_MILLIS && awaited) return
        shown = now
        cancelling = state.cancelling
        manager.notify(ID, of(state))
    }

    fun of(state: RestoreState): Notification {
        val running = state as? RestoreState.Running
        val cancel = Notification.Action.Builder(
            Icon.createWithResource(context, R.drawable.restore_notification),
            context.getString(R.string.restore_cancel),
            PendingIntent.getService(
                context,
                0,
                Intent(context, RestoreService::class.java).setAction(RestoreService.CANCEL),
                PendingIntent.FLAG_IMMUTABLE,
            ),
        ).build()
        val open = context.packageManager.getLaunchIntentForPackage(context.packageName)
        val builder = Notification.Builder(context, CHANNEL)
            .setSmallIcon(R.drawable.restore_notification)
            .setContentTitle(context.getString(R.string.restore_title, state.photo?.name.orEmpty()))
            .setContentText(running?.let { RestoreWords.progress(context, it) })
            .setProgress(running?.total ?: 0, running?.done ?: 0, (running?.total ?: 0) == 0)
            .setOngoing(true)
            .setOnlyAlertOnce(true)
            .addAction(cancel)
        if (open != null) {
            builder.setContentIntent(PendingIntent.getActivity(context, 0, open, PendingIntent.FLAG_IMMUTABLE))
        }
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            builder.setForegroundServiceBehavior(Notification.FOREGROUND_SERVICE_IMMEDIATE)
        }
        return builder.build()
    }

    companion object {
        const val ID = 1
        const val CHANNEL = "restore"
        private const val INTERVAL_MILLIS = 500L
    }
}

/** How a restoration's progress is said, in the notification and on the screen. */
object RestoreWords {
    fun progress(context: Context, running: RestoreState.Running): String {
        val left = running.millisLeft
        val tiles = running.tiles
        return when {
            running.cancelling -> context.getString(R.string.restore_cancelling)
            running.total == 0 -> context.getString(R.string.restore_loading)
            tiles == null -> context.getString(R.string.restore_looking)
            left == null -> context.getString(R.string.restore_tiles, tiles, running.total - 1)
            else -> context.getString(R.string.restore_tiles_left, tiles, running.total - 1, time(context, left))
        }
    }

    private fun time(context: Context, millis: Long): String {
        val seconds = ((millis + 999) / 1000).toInt()
        return if (seconds < 60) {
            context.getString(R.string.restore_seconds, seconds)
        } else {
            context.getString(R.string.restore_minutes, (seconds + 59) / 60)
        }
    }
}
