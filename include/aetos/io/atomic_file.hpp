#pragma once

#include <filesystem>
#include <string>
#include <string_view>

/// Files whose final name means that they are complete.
namespace aetos::io {

/// Writes text or bytes to a temporary name beside `path`, fsyncs, renames, and fsyncs the folder. A symbolic link at
/// `path` is followed. Throws ResourceError that names the file and the cause.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);
/// fsync of `partial`, then rename to `path` (links followed), then fsync of the folder.
void publish(const std::filesystem::path& partial, const std::filesystem::path& path);
/// The temporary name that a file has before it is complete: same folder, ".partial" in its name.
std::filesystem::path partial_name(const std::filesystem::path& path);
/// Whole content of a file; throws InputError if it cannot be read.
std::string read_text_file(const std::string& path);
/// SHA-256 as hex, of text or of a file's bytes.
std::string sha256_hex(std::string_view text);
std::string sha256_hex_of_file(const std::filesystem::path& path);

}  // namespace aetos::io
