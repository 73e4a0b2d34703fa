// Signatures are Apple's, from the pages named.
import CoreTransferable
import Foundation
import SwiftUI

// https://developer.apple.com/documentation/photosui/photospickeritem
public struct PhotosPickerItem: Hashable, Sendable {
    // https://developer.apple.com/documentation/photosui/photospickeritem/encodingdisambiguationpolicy
    public struct EncodingDisambiguationPolicy: Hashable, Sendable {
        // https://developer.apple.com/documentation/photosui/photospickeritem/encodingdisambiguationpolicy/automatic
        public static let automatic = EncodingDisambiguationPolicy()
        // https://developer.apple.com/documentation/photosui/photospickeritem/encodingdisambiguationpolicy/current
        public static let current = EncodingDisambiguationPolicy()
    }

    private let file: URL?

    /// The stubs' own: the file that is delivered, or nil for a photo that is not.
    public init(stub: URL?) { file = stub }

    // https://developer.apple.com/documentation/photosui/photospickeritem/loadtransferable(type:)
    public func loadTransferable<T: Transferable>(type: T.Type) async throws -> T? {
        guard let file else { throw CocoaError(.fileReadUnknown) }
        guard let representation = T.transferRepresentation as? FileRepresentation<T> else { return nil }
        return try await representation.stubImporting(ReceivedTransferredFile(stub: file))
    }
}

// https://developer.apple.com/documentation/photosui/phpickerfilter-swift.struct
public struct PHPickerFilter: Equatable, Hashable, Sendable {
    // https://developer.apple.com/documentation/photosui/phpickerfilter-swift.struct/images
    public static let images = PHPickerFilter()
}

extension View {
    // https://developer.apple.com/documentation/swiftui/view/photospicker(ispresented:selection:matching:preferreditemencoding:)
    nonisolated public func photosPicker(
        isPresented: Binding<Bool>, selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter? = nil,
        preferredItemEncoding: PhotosPickerItem.EncodingDisambiguationPolicy = .automatic
    ) -> some View { self }
}
