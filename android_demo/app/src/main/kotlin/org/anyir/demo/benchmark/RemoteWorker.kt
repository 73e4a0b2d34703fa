package org.anyir.demo.benchmark

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.content.ServiceConnection
import android.os.Build
import android.os.IBinder
import android.os.Parcel
import android.os.Process
import android.os.RemoteException
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import org.anyir.core.benchmark.Target
import org.anyir.core.benchmark.Worker
import org.anyir.core.benchmark.WorkerException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/**
 * This side of a [BenchmarkService]: requests with a time limit, and its death as one sentence.
 *
 * Not for the main thread, which brings the connection.
 */
internal class RemoteWorker(private val context: Context, service: Class<*>) : Worker {
    private val connected = CountDownLatch(1)
    private val ended = CountDownLatch(1)
    private val thread = Executors.newSingleThreadExecutor()
    private var binder: IBinder? = null
    private var pid = 0
    private var closed = false

    private val connection = object : ServiceConnection {
        override fun onServiceConnected(name: ComponentName?, service: IBinder?) {
            binder = service
            connected.countDown()
        }

        override fun onServiceDisconnected(name: ComponentName?) = Unit // the request that waits is told

        override fun onNullBinding(name: ComponentName?) = connected.countDown()
    }

    init {
        val flags = Context.BIND_AUTO_CREATE or Context.BIND_IMPORTANT
        val bound = context.bindService(Intent(context, service), connection, flags)
        if (!bound || !connected.await(CONNECT_LIMIT_S, TimeUnit.SECONDS) || binder == null) {
            close()
            throw WorkerException("The system did not start a process for it.")
        }
        pid = call(SessionBinder.PID, null, CONNECT_LIMIT_S) { it.readInt() }
        try {
            binder!!.linkToDeath({ ended.countDown() }, 0)
        } catch (_: RemoteException) {
            ended.countDown()
        }
    }

    /** Says which program the process is for. */
    fun open(target: Target, threads: Int): RemoteWorker = apply {
        val request = JsonObject().apply {
            addProperty("file", target.model!!.file.path)
            addProperty("engine", target.engine)
            addProperty("threads", threads)
        }
        try {
            answer(SessionBinder.OPEN, request, CONNECT_LIMIT_S)
        } catch (error: WorkerException) {
            close()
            throw error
        }
    }

    override fun request(request: JsonObject, limitSeconds: Long): JsonObject =
        answer(SessionBinder.REQUEST, request, limitSeconds)

    private fun answer(code: Int, request: JsonObject, limitSeconds: Long): JsonObject {
        val text = call(code, request, limitSeconds) { it.readString() }
        val answer = JsonParser.parseString(text.orEmpty()).asJsonObject
        val error = answer["error"] ?: return answer
        throw WorkerException(error.asString, unsupported = answer["unsupported"]?.asBoolean ?: false)
    }

    private fun <T> call(code: Int, request: JsonObject?, limitSeconds: Long, read: (Parcel) -> T): T {
        val target = binder ?: throw WorkerException("Its process is gone.")
        val answer = thread.submit<T> {
            val data = Parcel.obtain()
            val reply = Parcel.obtain()
            try {
                data.writeInterfaceToken(SessionBinder.DESCRIPTOR)
                request?.let { data.writeString(it.toString()) }
                target.transact(code, data, reply, 0)
                read(reply)
            } finally {
                data.recycle()
                reply.recycle()
            }
        }
        return try {
            answer.get(limitSeconds, TimeUnit.SECONDS)
        } catch (_: TimeoutException) {
            close()
            throw WorkerException("It gave no answer in $limitSeconds s.")
        } catch (error: ExecutionException) {
            val reason = if (error.cause is RemoteException) howItEnded() else "${error.cause}"
            close()
            throw WorkerException(reason)
        }
    }

    /** Ends the process and waits until it is gone, so that the next program of this service gets a new one. */
    override fun close() {
        if (closed) return
        closed = true
        try {
            context.unbindService(connection)
        } catch (_: IllegalArgumentException) {
            // It was never bound.
        }
        binder = null
        if (pid != 0 && pid != Process.myPid()) {
            Process.killProcess(pid)
            ended.await(CONNECT_LIMIT_S, TimeUnit.SECONDS)
        }
        thread.shutdownNow()
    }

    private fun howItEnded(): String {
        val reason = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) exitReason() else null
        return "Its process ended" + if (reason == null) ", perhaps for want of memory." else ": $reason."
    }

    private fun exitReason(): String? {
        ended.await(SETTLE_MS, TimeUnit.MILLISECONDS) // the system notes the reason a moment later
        val manager = context.getSystemService(ActivityManager::class.java) ?: return null
        val info = manager.getHistoricalProcessExitReasons(context.packageName, pid, 1).firstOrNull() ?: return null
        return when (info.reason) {
            ApplicationExitInfo.REASON_LOW_MEMORY -> "the system wanted its memory"
            ApplicationExitInfo.REASON_CRASH_NATIVE -> "it crashed in native code"
            ApplicationExitInfo.REASON_CRASH -> "it crashed"
            ApplicationExitInfo.REASON_SIGNALED -> "by signal ${info.status}"
            else -> info.description
        }
    }

    private companion object {
        const val CONNECT_LIMIT_S = 30L
        const val SETTLE_MS = 500L
    }
}
