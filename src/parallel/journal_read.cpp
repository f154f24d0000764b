#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/parallel/journal.hpp"
#include "journal_record.hpp"

namespace aetos {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

/// A journal file open for reading at given places.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path)
      : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (!file_.is_open() || ::fstat(file_.number(), &status) != 0)
      throw ResourceError(
          fmt::format("{}: cannot open the journal ({})", path.string(), std::strerror(errno)));
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::uint64_t size() const { return size_; }

  /// Fills `data` from `offset`; false if the file ends before.
  bool read(std::uint64_t offset, std::span<std::byte> data) const {
    while (!data.empty()) {
      const ssize_t got = ::pread(file_.number(), data.data(), data.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0)
        throw ResourceError(
            fmt::format("{}: cannot read the journal ({})", path_.string(), std::strerror(errno)));
      if (got == 0) return false;
      data = data.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return true;
  }

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

/// The header at `offset` if one stands there that checks.
bool read_header(const Reader& reader, std::uint64_t offset, journal::Header& header) {
  if (reader.size() - offset < sizeof(header)) return false;
  if (!reader.read(offset, std::as_writable_bytes(std::span(&header, 1)))) return false;
  return header.magic == journal::kMagic && header.header_crc == journal::header_checksum(header);
}

bool payload_checks(const Reader& reader, std::uint64_t offset, const journal::Header& header) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(header.length, kPiece));
  std::uint32_t crc = 0;
  for (std::uint64_t left = header.length; left > 0;) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(left, kPiece));
    if (!reader.read(offset, piece)) return false;
    crc = crc32c(piece, crc);
    offset += piece.size();
    left -= piece.size();
  }
  return crc == header.payload_crc;
}

/// The place of the next magic at or after `offset`, or the end of the file.
std::uint64_t find_magic(const Reader& reader, std::uint64_t offset) {
  const std::size_t magic_size = journal::kMagic.size();
  std::vector<std::byte> buffer(std::min<std::uint64_t>(reader.size() - offset, kPiece));
  const auto magic = std::as_bytes(std::span(journal::kMagic));
  while (reader.size() - offset >= magic_size) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(reader.size() - offset, kPiece));
    if (!reader.read(offset, piece)) break;
    const auto hit = std::search(piece.begin(), piece.end(), magic.begin(), magic.end());
    if (hit != piece.end()) return offset + static_cast<std::uint64_t>(hit - piece.begin());
    offset += piece.size() - (magic_size - 1);  // a magic may lie across two pieces
  }
  return reader.size();
}

/// The different contents found for one key, with the number of copies of each.
struct Candidate {
  Journal::Place place;
  std::size_t copies = 1;
};
using Candidates = std::map<Journal::Key, std::vector<Candidate>>;

void add(Candidates& candidates, Journal::Key key, Journal::Place place) {
  auto& known = candidates[key];
  const auto same = std::find_if(known.begin(), known.end(), [&](const Candidate& c) {
    return c.place.crc == place.crc && c.place.bytes == place.bytes;
  });
  if (same == known.end())
    known.push_back({std::move(place), 1});
  else
    ++same->copies;
}

void scan_file(const std::filesystem::path& path, std::uint64_t fingerprint_hash, Candidates& candidates) {
  const Reader reader(path);
  for (std::uint64_t at = 0; at < reader.size();) {
    journal::Header header;
    if (!read_header(reader, at, header)) {
      const std::uint64_t next = find_magic(reader, at + 1);
      log::warn("{}: {} bytes at {} are no complete record and are dropped; what they held is computed again",
                path.string(), next - at, at);
      at = next;
      continue;
    }
    const std::uint64_t payload = at + sizeof(header);
    if (header.length > reader.size() - payload) {
      log::warn("{}: the record at {} is cut off and is dropped; its item is computed again", path.string(),
                at);
      at = find_magic(reader, payload);
      continue;
    }
    if (header.version == journal::kVersion && header.fingerprint_hash == fingerprint_hash) {
      if (!payload_checks(reader, payload, header)) {
        log::warn("{}: the checksum of the record at {} is wrong; its item is computed again", path.string(),
                  at);
        at = find_magic(reader, payload);  // other ranks' records may follow on one that was cut off
        continue;
      }
      add(candidates, header.key, {path, payload, header.length, header.payload_crc});
    }
    at = payload + header.length;
  }
}

std::vector<std::filesystem::path> journal_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return files;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".aj" && it->is_regular_file()) files.push_back(it->path());
  if (error)
    throw ResourceError(fmt::format("{}: cannot list the journals ({})", folder.string(), error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::map<Journal::Key, Journal::Place> Journal::scan(const std::filesystem::path& folder,
                                                     const std::string& fingerprint) {
  Candidates candidates;
  for (const auto& file : journal_files(folder)) scan_file(file, journal::hash_of(fingerprint), candidates);

  std::map<Key, Place> places;
  for (auto& [key, known] : candidates) {
    std::stable_sort(known.begin(), known.end(),
                     [](const Candidate& a, const Candidate& b) { return a.copies > b.copies; });
    const bool settled = known.size() == 1 || known[0].copies > known[1].copies;
    if (known.size() > 1)
      log::warn("{}: records of item {} differ ({} and {} among others); {}", folder.string(), key,
                known[0].place.file.filename().string(), known[1].place.file.filename().string(),
                settled ? "the content that most of them hold is used" : "the item is computed again");
    if (settled) places.emplace(key, std::move(known[0].place));
  }
  return places;
}

std::map<Journal::Key, Journal::Place> Journal::scan(const Communicator& comm,
                                                     const std::filesystem::path& folder,
                                                     const std::string& fingerprint) {
  std::map<Key, Place> places;
  comm.agree([&] {
    if (comm.is_root()) places = scan(folder, fingerprint);
  });
  // Names once, each ended by a zero byte; then fixed-size entries.
  struct Entry {
    Key key;
    std::uint64_t offset, bytes, file;
    std::uint32_t crc, unused;
  };
  std::string names;
  std::vector<Entry> entries;
  std::map<std::filesystem::path, std::uint64_t> index_of;
  for (const auto& [key, place] : places) {
    const auto [it, is_new] = index_of.try_emplace(place.file, index_of.size());
    if (is_new) names += place.file.string() + '\0';
    entries.push_back({key, place.offset, place.bytes, it->second, place.crc, 0});
  }
  names = comm.broadcast_string(std::move(names));
  entries.resize(comm.broadcast_value(entries.size()));
  comm.broadcast(std::span<Entry>(entries));
  if (comm.is_root()) return places;

  std::vector<std::filesystem::path> files;
  for (std::size_t begin = 0; begin < names.size(); begin = names.find('\0', begin) + 1)
    files.emplace_back(names.c_str() + begin);
  for (const Entry& e : entries) places.emplace(e.key, Place{files[e.file], e.offset, e.bytes, e.crc});
  return places;
}

std::vector<std::byte> Journal::read(const Place& place) {
  const Reader reader(place.file);
  const bool inside = place.offset <= reader.size() && place.bytes <= reader.size() - place.offset;
  std::vector<std::byte> payload(inside ? place.bytes : 0);
  if (!inside || !reader.read(place.offset, payload) || crc32c(payload) != place.crc)
    throw ResourceError(
        fmt::format("{}: the record at {} has changed since it was read", place.file.string(), place.offset));
  return payload;
}

}  // namespace aetos
