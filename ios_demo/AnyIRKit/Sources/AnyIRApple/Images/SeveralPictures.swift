import ImageIO

/// What the pictures of a file are that holds more than one photo. A HEIC's are parts of one, such as thumbnails.
public enum SeveralPictures {
    /// Of an animation.
    case frames
    case pages

    private static let animated: Set = ["com.compuserve.gif", "public.png", "org.webmproject.webp", "public.heics"]
    private static let paged: Set = ["public.tiff"]

    /// Nil where the file is one photo.
    public init?(_ source: CGImageSource) {
        guard CGImageSourceGetCount(source) > 1, let type = CGImageSourceGetType(source) as String? else { return nil }
        if Self.animated.contains(type) {
            self = .frames
        } else if Self.paged.contains(type) {
            self = .pages
        } else {
            return nil
        }
    }
}
