import AnyIRCore
import Foundation

/// A photo that the app holds a private copy of.
public struct PhotoInfo: Sendable, Equatable, Codable {
    /// What can be restored whole, in megapixels; up to four times that at half size.
    public static let maxMegapixels = 50

    /// Of the private copy, inside the app's folder.
    public var file: String

    /// For people, such as "IMG_0042.HEIC".
    public var name: String

    /// Uniform type identifier of the file, such as "public.heic".
    public var type: String

    /// EXIF's, 1...8: how the pixels lie in the file.
    public var orientation: Int

    /// In pixels, upright.
    public var width: Int
    public var height: Int

    /// Sentences on what the result will not have, such as an HDR gain map.
    public var notes: [String]

    public init(
        file: String, name: String, type: String, orientation: Int = 1, width: Int, height: Int, notes: [String] = []
    ) {
        self.file = file
        self.name = name
        self.type = type
        self.orientation = orientation
        self.width = width
        self.height = height
        self.notes = notes
    }

    public var megapixels: Double { Double(width) * Double(height) / 1e6 }

    /// Whether it is too large to be restored whole.
    public var onlyHalfSize: Bool { megapixels > Double(Self.maxMegapixels) }

    /// Its size at half width and height, at least 1.
    public var half: (width: Int, height: Int) { (max(1, width / 2), max(1, height / 2)) }
}

/// A finished result, at full strength.
public struct RestoredPhoto: Sendable, Equatable, Codable {
    /// Of the lossless file inside the app's folder: upright, with the photo's colour profile and alpha.
    public var file: String

    /// In pixels, upright.
    public var width: Int
    public var height: Int

    /// Whether it has half the photo's width and height.
    public var halfSize: Bool

    /// Name of the artifact that ran.
    public var model: String

    /// Id and label of the engine that ran it.
    public var engine: String
    public var engineLabel: String

    /// What it ran on, as far as the engine tells.
    public var accelerator: String

    /// From the model's loading to the last pixel.
    public var seconds: Double

    /// How much the photo needed to be restored.
    public var need: Need

    /// Whether it was saved at least once.
    public var saved: Bool

    public init(
        file: String, width: Int, height: Int, halfSize: Bool, model: String, engine: String, engineLabel: String,
        accelerator: String, seconds: Double, need: Need, saved: Bool = false
    ) {
        self.file = file
        self.width = width
        self.height = height
        self.halfSize = halfSize
        self.model = model
        self.engine = engine
        self.engineLabel = engineLabel
        self.accelerator = accelerator
        self.seconds = seconds
        self.need = need
        self.saved = saved
    }
}

/// What outlives the process: the photo, whether it was being restored, and the result. Files are written first, and
/// this last and whole, so that whatever ends the process, one state is found, old or new.
public struct Kept: Sendable, Equatable, Codable {
    public var photo: PhotoInfo
    public var running: Bool
    public var result: RestoredPhoto?

    public init(photo: PhotoInfo, running: Bool = false, result: RestoredPhoto? = nil) {
        self.photo = photo
        self.running = running
        self.result = result
    }

    /// Every file that must not be deleted.
    public var files: Set<String> { Set([photo.file] + [result?.file].compactMap(\.self)) }
}
