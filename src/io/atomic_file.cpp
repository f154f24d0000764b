#include "aetos/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"

namespace aetos::io {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* action, const fs::path& path, int error) {
  throw ResourceError(fmt::format("cannot {} '{}': {}", action, path.string(), std::strerror(error)));
}

/// A POSIX descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (fd_ < 0) fail(flags & O_CREAT ? "write" : "open", path, errno);
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void close(const fs::path& path) {
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0) fail("close", path, errno);  // network file systems report a full disk here
  }

 private:
  int fd_;
};

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), std::min<std::size_t>(content.size(), 1u << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write", path, errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
}

void sync_folder(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const Descriptor d(folder, O_RDONLY | O_DIRECTORY);
  // Some file systems cannot fsync a folder; the rename is then as safe as they make it.
  if (::fsync(d.get()) != 0 && errno != EINVAL && errno != ENOTSUP) fail("sync", folder, errno);
}

/// Where a chain of symbolic links ends, whether or not something is there.
fs::path follow_links(fs::path path) {
  std::error_code ec;
  for (int depth = 0; depth < 40 && fs::is_symlink(path, ec); ++depth) {
    const fs::path target = fs::read_symlink(path, ec);
    if (ec) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return path;
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw ResourceError("cannot start a SHA-256 digest (OpenSSL)");
  }
  void update(const void* data, std::size_t bytes) { EVP_DigestUpdate(context_.get(), data, bytes); }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::filesystem::path partial_name(const std::filesystem::path& path) {
  fs::path name = follow_links(path);
  name += ".partial";
  return name;
}

void publish(const std::filesystem::path& partial, const std::filesystem::path& path) {
  const fs::path target = follow_links(path);
  fault::point("publish-sync");
  {
    Descriptor d(partial, O_RDWR);
    if (::fsync(d.get()) != 0) fail("sync", partial, errno);
    d.close(partial);
  }
  fault::point("publish-rename");
  if (::rename(partial.c_str(), target.c_str()) != 0) fail("rename the finished file to", target, errno);
  fault::point("published");
  sync_folder(target);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  const fs::path partial = partial_name(path);
  try {
    Descriptor d(partial, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(d.get(), content, partial);
    d.close(partial);
    publish(partial, path);
  } catch (...) {
    std::error_code ec;
    if (fs::is_regular_file(partial, ec)) fs::remove(partial, ec);
    throw;
  }
}

std::string read_text_file(const std::string& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw InputError(path, "no such file", "a file that can be read");
  if (fs::is_directory(path, ec)) throw InputError(path, "is a folder", "a file");
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw InputError(path, fmt::format("cannot be read ({})", std::strerror(errno)), "a readable file");
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) throw InputError(path, "reading it failed", "a readable file");
  return text;
}

std::string sha256_hex(std::string_view text) {
  Sha256 sha;
  sha.update(text.data(), text.size());
  return sha.hex();
}

std::string sha256_hex_of_file(const std::filesystem::path& path) {
  const Descriptor d(path, O_RDONLY);
  Sha256 sha;
  std::vector<char> buffer(1u << 20);
  for (;;) {
    const ssize_t n = ::read(d.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", path, errno);
    if (n == 0) return sha.hex();
    sha.update(buffer.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace aetos::io
