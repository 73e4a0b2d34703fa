package org.anyir.demo.restore

import android.app.Notification
import android.app.NotificationManager
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Looper
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowPowerManager
import java.util.concurrent.CountDownLatch

@RunWith(RobolectricTestRunner::class)
class RestoreServiceTest {
    @get:Rule
    val test = JobsRule()

    private val inTile = CountDownLatch(1)
    private val goOn = CountDownLatch(1)

    private fun startAndStop(tile: Int): RestoreService {
        test.choose("upright.png")
        test.jobs.start(
            testModel(),
            TestEngine(running = {
                if (it == tile) {
                    inTile.countDown()
                    goOn.await()
                }
            }),
        )
        val service = test.startService()
        inTile.await()
        shadowOf(Looper.getMainLooper()).idle()
        return service
    }

    private fun text(notification: Notification) =
        notification.extras.getCharSequence(Notification.EXTRA_TEXT).toString()

    @Test
    fun `it is in the foreground, says how far it is, and ends by itself`() {
        val service = startAndStop(tile = 4)
        val shadow = shadowOf(service)
        assertEquals(ServiceInfo.FOREGROUND_SERVICE_TYPE_DATA_SYNC, service.foregroundServiceType)
        assertNotNull(shadow.lastForegroundNotification)
        val manager = checkNotNull(test.app.getSystemService(NotificationManager::class.java))
        assertEquals(
            NotificationManager.IMPORTANCE_LOW,
            manager.getNotificationChannel(RestoreNotification.CHANNEL).importance,
        )

        val running = test.jobs.state as RestoreState.Running
        assertEquals("the look and three tiles", 4 to 13, running.done to running.total)
        assertTrue("what it needs is known by then", checkNotNull(running.need).needed)
        assertTrue(RestoreWords.progress(test.app, running).startsWith("Tile 3 of 12, "))
        val notification = RestoreNotification(test.app).of(running)
        assertEquals(13, notification.extras.getInt(Notification.EXTRA_PROGRESS_MAX))
        assertEquals("Restoring upright.png", notification.extras.getCharSequence(Notification.EXTRA_TITLE).toString())
        assertTrue(text(notification).startsWith("Tile 3 of 12"))
        assertTrue(ShadowPowerManager.getLatestWakeLock().isHeld)

        goOn.countDown()
        test.settle()
        assertTrue(test.jobs.state is RestoreState.Done)
        assertTrue(shadow.isStoppedBySelf)
        assertTrue(shadow.isForegroundStopped)
        service.onDestroy()
        assertFalse(ShadowPowerManager.getLatestWakeLock().isHeld)
    }

    @Test
    fun `it says that it looks at the photo, and is cancelled before any tile`() {
        test.choose("upright.png")
        val engine = TestEngine(
            looking = {
                inTile.countDown()
                goOn.await()
            },
            running = { error("no tile is restored") },
        )
        test.jobs.start(testModel(), engine)
        test.startService()
        inTile.await()
        shadowOf(Looper.getMainLooper()).idle()
        val running = test.jobs.state as RestoreState.Running
        assertEquals(0 to 13, running.done to running.total)
        assertNull(running.need)
        assertEquals("Looking at the whole photo", text(RestoreNotification(test.app).of(running)))
        test.jobs.cancel()
        goOn.countDown()
        test.settle()
        assertTrue(test.jobs.state is RestoreState.Ready)
        assertEquals("the engine is closed", 1, engine.closed)
    }

    @Test
    fun `its button cancels`() {
        val service = startAndStop(tile = 4)
        val action = RestoreNotification(test.app).of(test.jobs.state).actions.single()
        assertEquals("Cancel", action.title)
        val intent = shadowOf(action.actionIntent).savedIntent
        service.onStartCommand(intent, 0, 2)
        val running = test.jobs.state as RestoreState.Running
        assertEquals("Stopping after this tile", RestoreWords.progress(test.app, running))
        val manager = checkNotNull(test.app.getSystemService(NotificationManager::class.java))
        val shown = shadowOf(manager).getNotification(RestoreNotification.ID)
        assertEquals("at once, however recent the last tile is", "Stopping after this tile", text(shown))
        goOn.countDown()
        test.settle()
        assertTrue(test.jobs.state is RestoreState.Ready)
        assertTrue(shadowOf(service).isStoppedBySelf)
    }

    @Test
    fun `Android's limit of six hours ends it like a cancellation`() {
        val service = startAndStop(tile = 4)
        service.onTimeout(1, ServiceInfo.FOREGROUND_SERVICE_TYPE_DATA_SYNC)
        goOn.countDown()
        test.settle()
        assertTrue(test.jobs.state is RestoreState.Ready)
    }

    @Test
    fun `the button of a process that is gone starts nothing`() {
        val intent = Intent().setAction(RestoreService.CANCEL)
        val service = Robolectric.buildService(RestoreService::class.java, intent).create().startCommand(0, 1).get()
        assertTrue(shadowOf(service).isStoppedBySelf)
        service.onStartCommand(null, 0, 2)
        shadowOf(Looper.getMainLooper()).idle()
        assertTrue(test.jobs.state === RestoreState.Idle)
    }

    @Test
    fun `started with nothing to do it stops`() {
        val service = Robolectric.buildService(
            RestoreService::class.java,
            Intent(),
        ).create().startCommand(0, 1).get()
        shadowOf(Looper.getMainLooper()).idle()
        assertTrue(shadowOf(service).isStoppedBySelf)
        assertNull(service.onBind(null))
    }

    @Test
    fun `time left follows the tiles`() {
        var now = 0L
        val left = TimeLeft { now }
        for (done in 0..2) { // the look and the first tile, with which the runtime finishes loading
            assertNull(left.after(done, 11))
            now += 900_000_000
        }
        now -= 800_000_000
        assertEquals(800L, left.after(3, 11))
        now += 200_000_000 // slower: a fifth of the difference counts
        assertEquals(7 * 120L, left.after(4, 11))
    }
}
