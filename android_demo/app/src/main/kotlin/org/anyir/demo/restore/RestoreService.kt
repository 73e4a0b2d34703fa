package org.anyir.demo.restore

import android.app.Service
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Build
import android.os.IBinder
import android.os.PowerManager

/**
 * Keeps the app in the foreground, with a notification, while a photo is restored, so that it goes on when the user
 * leaves. The work and its state are [RestoreJobs]'.
 */
class RestoreService : Service(), RestoreJobs.Listener {
    private lateinit var jobs: RestoreJobs
    private lateinit var notification: RestoreNotification
    private var lock: PowerManager.WakeLock? = null

    override fun onCreate() {
        jobs = RestoreJobs.of(this)
        notification = RestoreNotification(this)
    }

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        if (intent?.action == CANCEL) {
            jobs.cancel()
            if (jobs.state !is RestoreState.Running) stop() // the button of a process that is gone
            return START_NOT_STICKY
        }
        val first = notification.of(jobs.state)
        try {
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
                startForeground(RestoreNotification.ID, first, ServiceInfo.FOREGROUND_SERVICE_TYPE_DATA_SYNC)
            } else {
                startForeground(RestoreNotification.ID, first)
            }
        } catch (_: IllegalStateException) {
            // Not allowed any more, as the user has left already: it goes on as long as Android lets the process live.
        }
        // Without it the processor sleeps soon after the screen.
        lock = lock ?: checkNotNull(getSystemService(PowerManager::class.java))
            .newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "anyir:restore")
            .apply { acquire(LONGEST_MILLIS) }
        jobs.runWaiting()
        jobs.removeListener(this)
        jobs.addListener(this)
        return START_NOT_STICKY
    }

    override fun onState(state: RestoreState) {
        if (state is RestoreState.Running) notification.update(state) else stop()
    }

    /** Android 15 lets such a service run for six hours a day. */
    override fun onTimeout(startId: Int, type: Int) {
        jobs.cancel()
        stop()
    }

    private fun stop() {
        @Suppress("DEPRECATION") // its successor is of API 33
        stopForeground(true)
        stopSelf()
    }

    override fun onDestroy() {
        jobs.removeListener(this)
        lock?.takeIf { it.isHeld }?.release()
    }

    override fun onBind(intent: Intent?): IBinder? = null

    internal companion object {
        const val CANCEL = "org.anyir.demo.CANCEL"
        private const val LONGEST_MILLIS = 6L * 60 * 60 * 1000
    }
}
