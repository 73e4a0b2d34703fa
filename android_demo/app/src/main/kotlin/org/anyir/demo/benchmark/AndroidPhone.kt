package org.anyir.demo.benchmark

import android.app.ActivityManager
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.ApplicationInfo
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import android.os.Process
import android.system.Os
import android.system.OsConstants
import com.google.gson.JsonArray
import com.google.gson.JsonObject
import org.anyir.core.benchmark.Phone
import java.io.File
import java.io.IOException
import java.time.Instant
import java.time.temporal.ChronoUnit

/** This phone; what it does not tell is null. */
internal class AndroidPhone(private val context: Context) : Phone {
    private val power = context.getSystemService(PowerManager::class.java)
    private var headroomAt = 0L
    private var headroom: Float? = null

    override fun environment() = JsonObject().apply {
        val memory = ActivityManager.MemoryInfo()
        context.getSystemService(ActivityManager::class.java)?.getMemoryInfo(memory)
        val cores = Runtime.getRuntime().availableProcessors()
        addProperty("kind", "android")
        addProperty("created", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString())
        addProperty("device", "${Build.MANUFACTURER} ${Build.MODEL}".trim())
        addProperty("cores", cores)
        addProperty("memory_bytes", memory.totalMem)
        addProperty("os", "Android ${Build.VERSION.RELEASE} (API ${Build.VERSION.SDK_INT})")
        addProperty("app_version", version())
        addProperty("soc", soc())
        addProperty("build_fingerprint", Build.FINGERPRINT.orEmpty())
        addProperty("abi", abi())
        addProperty("page_bytes", maxOf(0L, Os.sysconf(OsConstants._SC_PAGESIZE)))
        addProperty("android_version", Build.VERSION.RELEASE)
        addProperty("api_level", Build.VERSION.SDK_INT)
        add("governors", JsonArray().apply { for (core in 0 until cores) add(governor(core)) })
    }

    override fun reading() = JsonObject().apply {
        addProperty("thermal_status", thermalStatus())
        addProperty("thermal_headroom", thermalHeadroom())
        val battery = context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
        val level = battery?.getIntExtra(BatteryManager.EXTRA_LEVEL, -1) ?: -1
        val scale = battery?.getIntExtra(BatteryManager.EXTRA_SCALE, -1) ?: -1
        val tenths = battery?.getIntExtra(BatteryManager.EXTRA_TEMPERATURE, Int.MIN_VALUE) ?: Int.MIN_VALUE
        val share = if (level >= 0 && scale > 0) 100.0 * level / scale else null
        addProperty("battery_percent", share?.coerceIn(0.0, 100.0))
        addProperty("battery_celsius", if (tenths == Int.MIN_VALUE) null else tenths / 10.0)
        addProperty("plugged", battery?.getIntExtra(BatteryManager.EXTRA_PLUGGED, -1)?.let(PLUGS::get))
    }

    private fun version(): String {
        val name = context.packageManager.getPackageInfo(context.packageName, 0).versionName.orEmpty()
        val debuggable = context.applicationInfo.flags and ApplicationInfo.FLAG_DEBUGGABLE != 0
        return if (debuggable) "$name (debuggable)" else name
    }

    private fun soc(): String? =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) "${Build.SOC_MANUFACTURER} ${Build.SOC_MODEL}" else null

    private fun abi(): String {
        val fitting = if (Process.is64Bit()) Build.SUPPORTED_64_BIT_ABIS else Build.SUPPORTED_32_BIT_ABIS
        return fitting.firstOrNull() ?: Build.SUPPORTED_ABIS.firstOrNull() ?: "unknown"
    }

    private fun governor(core: Int): String? = try {
        File("/sys/devices/system/cpu/cpu$core/cpufreq/scaling_governor").readText().trim().ifEmpty { null }
    } catch (_: IOException) {
        null
    }

    private fun thermalStatus(): String? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return null
        return power?.currentThermalStatus?.let(STATUSES::getOrNull)
    }

    /** The system answers once a second; until then its last answer holds. */
    private fun thermalHeadroom(): Float? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return null
        val now = System.nanoTime()
        if (headroomAt == 0L || now - headroomAt >= SECOND) {
            headroomAt = now
            headroom = power?.getThermalHeadroom(FORECAST_S)?.takeUnless { it.isNaN() || it.isInfinite() || it < 0 }
        }
        return headroom
    }

    private companion object {
        const val FORECAST_S = 10
        const val SECOND = 1_000_000_000L
        val STATUSES = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
        val PLUGS = mapOf(
            0 to "none",
            BatteryManager.BATTERY_PLUGGED_AC to "ac",
            BatteryManager.BATTERY_PLUGGED_USB to "usb",
            BatteryManager.BATTERY_PLUGGED_WIRELESS to "wireless",
            BatteryManager.BATTERY_PLUGGED_DOCK to "dock",
        )
    }
}
