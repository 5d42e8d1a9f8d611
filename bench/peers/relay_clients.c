// Clients of a relay with the fewest system calls that a client needs: what one thread of this machine can do. They start
// within a window, hold each other's messages for some time, and close when they have their ok and hold nothing.
//
//	relay_clients PORT ADDRESSES CLIENTS WINDOW-MS HOLD-MS
//
// They connect to 127.0.0.1, 127.0.0.2, and so on. At the end, it prints the CPU seconds of both phases as JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, READ_BYTES = 8192, LOOPBACK = 0x7f000001 };

// The longest round is the window and two times the hold. What takes longer hangs, and is killed by SIGALRM.
enum { SPARE_SECONDS = 30 };

// The oks begin this long after the look at the CPU time before them, in ms.
static const double BEFORE_OKS_MS = 200;

struct client {
  int descriptor, held;
  bool connected, acknowledged;
};

struct answer {
  double due;
  int client, message;
};

static int port, addresses, clients;
static struct client *all;
static int *owners; // Clients by descriptor.
static struct answer *answers; // In order of time, as all are held equally long.
static int first_answer, last_answer, most_answers;
static int epoll, begun, received, ended;
static double hold, begin;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// Returns the time in ms.
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int by_time(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static void start(int number) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("socket");
  int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(LOOPBACK + number % addresses);
  if (connect(descriptor, (void *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
  all[number].descriptor = descriptor;
  owners[descriptor] = number;
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = descriptor};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

static void send_line(struct client *client, const char *verb, int message) {
  char line[32];
  int length = sprintf(line, "%s m%d\n", verb, message);
  if (send(client->descriptor, line, length, MSG_NOSIGNAL) != length) fail("send");
}

static void finish_if_done(struct client *client) {
  if (client->acknowledged && client->held == 0) shutdown(client->descriptor, SHUT_WR);
}

static void take_line(int number, char *line) {
  struct client *client = &all[number];
  if (line[0] == 'm') {
    if (last_answer == most_answers) {
      fprintf(stderr, "The relay delivered more than %d messages\n", most_answers);
      exit(1);
    }
    int message = atoi(line + strlen("message m"));
    answers[last_answer++] = (struct answer){now() - begin + hold, number, message};
    client->held++;
    received++;
  } else if (atoi(line + strlen("ok m")) == number) {
    client->acknowledged = true;
    finish_if_done(client);
  }
}

static void take_input(int number, bool peer_ended) {
  struct client *client = &all[number];
  char bytes[READ_BYTES];
  do {
    ssize_t count = recv(client->descriptor, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) fail("recv");
    if (count == 0) {
      close(client->descriptor);
      ended++;
      return;
    }
    for (char *line = bytes; line < bytes + count;) {
      char *end = memchr(line, '\n', bytes + count - line);
      if (end == NULL) {
        fprintf(stderr, "A line is not complete\n");
        exit(1);
      }
      take_line(number, line);
      line = end + 1;
    }
  } while (peer_ended);
}

static void wait_and_handle(double until) {
  double wait = until - (now() - begin);
  if (wait < 0) wait = 0;
  struct timespec time = {(long)(wait / 1e3), (long)(wait * 1e6) % 1000000000};
  struct epoll_event events[EVENTS];
  int count = epoll_pwait2(epoll, events, EVENTS, &time, NULL);
  for (int index = 0; index < count; index++) {
    int number = owners[events[index].data.fd];
    uint32_t bits = events[index].events;
    if (!all[number].connected) {
      all[number].connected = true;
      send_line(&all[number], "message", number);
    }
    if (bits & EPOLLIN) take_input(number, bits & EPOLLRDHUP);
  }
}

int main(int count, char **arguments) {
  if (count != 6) {
    fprintf(stderr, "Expected PORT ADDRESSES CLIENTS WINDOW-MS HOLD-MS\n");
    return 1;
  }
  port = atoi(arguments[1]);
  addresses = atoi(arguments[2]);
  clients = atoi(arguments[3]);
  double window = atof(arguments[4]);
  hold = atof(arguments[5]);
  all = calloc(clients, sizeof *all);
  // The relay delivers a message again if its receiver has closed.
  most_answers = 4 * clients;
  answers = calloc(most_answers, sizeof *answers);
  owners = calloc(sysconf(_SC_OPEN_MAX), sizeof *owners);
  double *starts = calloc(clients, sizeof *starts);
  for (int number = 0; number < clients; number++) starts[number] = window * drand48();
  qsort(starts, clients, sizeof *starts, by_time);
  epoll = epoll_create1(EPOLL_CLOEXEC);

  alarm((window + 2 * hold) / 1e3 + SPARE_SECONDS);
  double before_starts = cpu_seconds();
  begin = now();
  while (received < clients) {
    while (begun < clients && starts[begun] <= now() - begin) start(begun++);
    wait_and_handle(begun < clients ? starts[begun] : hold);
  }
  double after_starts = cpu_seconds();
  while (now() - begin < answers[0].due - BEFORE_OKS_MS) wait_and_handle(answers[0].due - BEFORE_OKS_MS);
  double before_oks = cpu_seconds();
  while (ended < clients) {
    for (; first_answer < last_answer && answers[first_answer].due <= now() - begin; first_answer++) {
      struct client *client = &all[answers[first_answer].client];
      client->held--;
      send_line(client, "ok", answers[first_answer].message);
      finish_if_done(client);
    }
    wait_and_handle(first_answer < last_answer ? answers[first_answer].due : now() - begin + hold);
  }
  printf("{\"starts\":%f,\"oks\":%f}\n", after_starts - before_starts, cpu_seconds() - before_oks);
}
