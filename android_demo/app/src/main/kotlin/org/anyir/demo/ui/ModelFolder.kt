package org.anyir.demo.ui

import android.content.Context

/** Where models are copied to, as `adb push` names it. */
fun modelFolder(context: Context): String = "/sdcard/Android/data/${context.packageName}/files/models"
