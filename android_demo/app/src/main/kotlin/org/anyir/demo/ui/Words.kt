package org.anyir.demo.ui

import android.content.Context
import android.text.format.Formatter
import org.anyir.core.Fault
import org.anyir.core.Manifest
import org.anyir.core.Need
import org.anyir.demo.R
import org.anyir.demo.restore.RestoredPhoto
import org.anyir.engines.NOT_IN_THIS_BUILD
import java.text.NumberFormat
import kotlin.math.roundToInt

/** Figures and names as the screens say them. */
class Words(private val context: Context) {
    private val resources = context.resources

    /** "small, 16-bit" */
    fun model(manifest: Manifest): String =
        resources.getString(R.string.model_title, manifest.source.preset, precision(manifest.precision))

    fun precision(precision: String): String = PRECISIONS[precision]?.let { resources.getString(it.name) } ?: precision

    /** What a precision is good for; null where nothing is known of it. */
    fun goodFor(precision: String): String? = PRECISIONS[precision]?.let { resources.getString(it.goodFor) }

    /** A reason that an engine gives, as a sentence: "not in this build" becomes "Not in this build". */
    fun sentence(reason: String): String = if (reason == NOT_IN_THIS_BUILD) {
        resources.getString(R.string.not_in_this_build)
    } else {
        reason.replaceFirstChar { it.uppercase() }
    }

    fun size(bytes: Long): String = Formatter.formatShortFileSize(context, bytes)

    /** "On this phone: 210 ms a tile", or that it was not measured. */
    fun speed(speed: Speed?): String {
        if (speed == null) return resources.getString(R.string.not_measured)
        val time = if (speed.millis < 1000) {
            resources.getString(R.string.milliseconds, speed.millis.roundToInt())
        } else {
            duration(speed.millis.toLong())
        }
        return resources.getString(if (speed.benchmarked) R.string.measured else R.string.measured_in_use, time)
    }

    /** "12.3 s" or "2 min 5 s" */
    fun duration(millis: Long): String {
        val seconds = (millis + 500) / 1000
        return when {
            seconds < 60 -> resources.getString(R.string.seconds, "%.1f".format(millis / 1000.0))
            else -> resources.getString(R.string.minutes, seconds / 60, seconds % 60)
        }
    }

    /** "about 20 seconds left": rounded so that it does not flicker. */
    fun left(millis: Long): String {
        val seconds = (millis / 1000.0).roundToInt()
        val fives = (seconds + 2) / 5 * 5
        val minutes = (seconds / 60.0).roundToInt()
        return when {
            seconds < 5 -> resources.getString(R.string.left_few)
            seconds < 90 -> resources.getQuantityString(R.plurals.left_seconds, fives, fives)
            else -> resources.getQuantityString(R.plurals.left_minutes, minutes, minutes)
        }
    }

    /** "This photo looks fine: little changes (0.94 of 255; a fault is 2.5 or more).", or what it needs. */
    fun need(need: Need): String {
        val change = figure(need.change)
        val bound = figure(Need.NEEDED)
        if (!need.needed) return resources.getString(R.string.need_nothing, change, bound)
        val faults = need.faults.map { resources.getString(lack(it)) }
        val list = faults.reduceOrNull { first, second -> resources.getString(R.string.need_and, first, second) }
            ?: resources.getString(R.string.need_unnamed)
        return resources.getString(R.string.need_something, list, change, bound)
    }

    private fun lack(fault: Fault): Int = when (fault) {
        Fault.LOW_LIGHT -> R.string.need_light
        Fault.HAZE -> R.string.need_less_haze
        Fault.NOISE -> R.string.need_less_noise
        Fault.BLUR -> R.string.need_sharpness
    }

    private fun figure(value: Double): String =
        NumberFormat.getNumberInstance().apply { maximumFractionDigits = 2 }.format(value)

    /** Which model and engine made a result, what they ran on, and how long they took. */
    fun ran(result: RestoredPhoto): String {
        val made = resources.getString(R.string.ran_with, result.model, result.engine)
        return resources.getString(R.string.ran_on, made, result.accelerator, duration(result.millis))
    }

    private class Precision(val name: Int, val goodFor: Int)

    private companion object {
        /** All that `anyir convert` offers. */
        val PRECISIONS = mapOf(
            "fp32" to Precision(R.string.precision_fp32, R.string.good_fp32),
            "fp16" to Precision(R.string.precision_fp16, R.string.good_fp16),
            "int8w" to Precision(R.string.precision_int8w, R.string.good_int8w),
            "int8" to Precision(R.string.precision_int8, R.string.good_int8),
            "mixed" to Precision(R.string.precision_mixed, R.string.good_mixed),
            "int16x8" to Precision(R.string.precision_int16x8, R.string.good_int16x8),
            "pal6" to Precision(R.string.precision_pal6, R.string.good_pal6),
            "pal6g" to Precision(R.string.precision_pal6g, R.string.good_pal6g),
            "pal4" to Precision(R.string.precision_pal4, R.string.good_pal4),
            "pal4g" to Precision(R.string.precision_pal4g, R.string.good_pal4g),
        )
    }
}
