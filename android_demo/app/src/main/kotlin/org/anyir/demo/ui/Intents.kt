package org.anyir.demo.ui

import android.content.ClipData
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.os.ext.SdkExtensions
import android.provider.MediaStore
import org.anyir.demo.restore.Export

/** Ways to let the user choose a photo, the best first: the system's photo picker, then the documents of all apps. */
fun photoChoosers(): List<Intent> {
    val picker = Intent(MediaStore.ACTION_PICK_IMAGES).setType("image/*")
    return if (hasPhotoPicker()) listOf(picker, documents()) else listOf(documents())
}

/** Lets the user choose a photo among the documents of all apps. */
fun documents(): Intent = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*")

private fun hasPhotoPicker(): Boolean = when {
    Build.VERSION.SDK_INT >= 33 -> true
    Build.VERSION.SDK_INT >= 30 -> SdkExtensions.getExtensionVersion(Build.VERSION_CODES.R) >= 2
    else -> false
}

/** The photo in another app's share intent, or null. Whatever the other app put there, this does not throw. */
fun sharedPhoto(intent: Intent): Uri? = try {
    @Suppress("DEPRECATION") // the typed form is younger than minSdk
    (intent.extras?.get(Intent.EXTRA_STREAM) as? Uri) ?: intent.clipData?.takeIf { it.itemCount > 0 }?.getItemAt(0)?.uri
} catch (_: RuntimeException) {
    null // a class that only the other app has, or extras that are no extras
}

/** Gives a picture to another app, which may read this one file. */
fun shareIntent(made: Export.Made): Intent = Intent(Intent.ACTION_SEND)
    .setType(made.mimeType)
    .putExtra(Intent.EXTRA_STREAM, made.uri)
    .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
    .apply { clipData = ClipData.newRawUri(made.name, made.uri) }
