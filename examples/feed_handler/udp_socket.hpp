// Copyright 2026 The recoup authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>

namespace feed {

using endpoint = sockaddr_in;

// A UDP socket on a free port of 127.0.0.1 that never blocks. Throws std::system_error where the system refuses.
class udp_socket {
 public:
  struct datagram {
    std::span<const std::byte> bytes;  // valid until the next receive
    endpoint from;
  };

  udp_socket() : descriptor_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    if (descriptor_ < 0) fail("No UDP socket could be opened");
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    const int flags = ::fcntl(descriptor_, F_GETFL);
    if (flags < 0 || ::fcntl(descriptor_, F_SETFL, flags | O_NONBLOCK) != 0 ||
        ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address_), size) != 0 ||
        ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address_), &size) != 0) {
      const int error = errno;
      ::close(descriptor_);
      errno = error;
      fail("No UDP socket could be bound to 127.0.0.1");
    }
  }
  udp_socket(const udp_socket&) = delete;
  udp_socket& operator=(const udp_socket&) = delete;
  ~udp_socket() { ::close(descriptor_); }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const endpoint& address() const { return address_; }

  // False where the system has no room for it just now.
  bool send(std::span<const std::byte> bytes, const endpoint& to) {
    if (::sendto(descriptor_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != EINTR) {
        fail("A datagram could not be sent");
      }
      return false;
    }
    ++sent_;
    return true;
  }

  std::optional<datagram> receive() {
    datagram d{};
    socklen_t size = sizeof d.from;
    const ssize_t length =
        ::recvfrom(descriptor_, buffer_.data(), buffer_.size(), 0, reinterpret_cast<sockaddr*>(&d.from), &size);
    if (length < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::nullopt;
      fail("A datagram could not be received");
    }
    ++received_;
    d.bytes = std::span(buffer_).first(static_cast<std::size_t>(length));
    return d;
  }

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  [[noreturn]] static void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

  int descriptor_;
  endpoint address_{};
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::array<std::byte, 65'536> buffer_;
};

}  // namespace feed
