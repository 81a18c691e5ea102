// SPDX-License-Identifier: Apache-2.0
// DCMI's Get Power Reading for ipmi_sim, the simulator of a BMC that OpenIPMI
// has: a module that its configuration loads. The file that its option names
// holds the watts, or "code N" for a completion code, read anew each time.
#include <cstdint>
#include <fstream>
#include <string>

extern "C" {
#include <OpenIPMI/ipmi_types.h>
#include <OpenIPMI/lanserv.h>
#include <OpenIPMI/mcserv.h>
}

namespace {

std::string& File() {
  static std::string file;
  return file;
}

void Put(unsigned char* data, unsigned number) {
  data[0] = static_cast<unsigned char>(number);
  data[1] = static_cast<unsigned char>(number >> 8U);
}

void Answer(lmc_data_t*, msg_t* message, unsigned char* data,
            unsigned int* size, void*) {
  std::ifstream file(File());
  std::string word;
  unsigned number = 0;
  file >> word;
  if (word == "code") {
    file >> number;
    data[0] = static_cast<unsigned char>(number);
    *size = 1;
    return;
  }
  if (message->cmd != 2) {
    data[0] = 0xC1;
    *size = 1;
    return;
  }
  const auto watts = static_cast<unsigned>(std::stoul(word));
  data[0] = 0;
  data[1] = 0xDC;
  Put(data + 2, watts);
  Put(data + 4, watts - 10);
  Put(data + 6, watts + 10);
  Put(data + 8, watts);
  for (int i = 10; i < 14; ++i) data[i] = 0;
  Put(data + 14, 1000);
  Put(data + 16, 0);
  data[18] = 0x40;
  *size = 19;
}

}  // namespace

extern "C" {

int ipmi_sim_module_print_version(sys_data_t*, const char*) { return 0; }

int ipmi_sim_module_init(sys_data_t*, const char* options) {
  File() = options == nullptr ? "" : options;
  ipmi_emu_register_group_extension_handler(0xDC, Answer, nullptr);
  return 0;
}

}  // extern "C"
