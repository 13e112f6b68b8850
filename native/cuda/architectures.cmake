# Sets CMAKE_CUDA_COMPILER to the nvcc that it finds, and CMAKE_CUDA_ARCHITECTURES: the ones that the environment
# variable SONOSPIKE_CUDA_ARCHITECTURES names ("90-real", "75-real;120", "native"), else machine code for every generation
# that this nvcc knows from 7.5 on, and PTX of the newest, from which drivers make code for what comes after.
find_program(SONOSPIKE_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_PATH ENV CUDA_HOME /usr/local/cuda PATH_SUFFIXES bin)
if(NOT SONOSPIKE_NVCC)
  message(FATAL_ERROR "nvcc not found: install the CUDA toolkit (https://developer.nvidia.com/cuda-downloads), "
    "or name it with CUDA_PATH=/usr/local/cuda")
endif()

if(NOT CMAKE_CUDA_COMPILER AND "$ENV{CUDACXX}" STREQUAL "")
  set(CMAKE_CUDA_COMPILER ${SONOSPIKE_NVCC})  # CMake itself does not look in /usr/local/cuda
endif()

if(NOT "$ENV{SONOSPIKE_CUDA_ARCHITECTURES}" STREQUAL "")
  set(CMAKE_CUDA_ARCHITECTURES $ENV{SONOSPIKE_CUDA_ARCHITECTURES})
else()
  execute_process(COMMAND ${SONOSPIKE_NVCC} --list-gpu-code
    OUTPUT_VARIABLE known COMMAND_ERROR_IS_FATAL ANY)
  set(CMAKE_CUDA_ARCHITECTURES)
  # Code for x.y runs on x.z of z > y: 8.7 and 10.3 need none of their own. 11.0 is none of the others.
  foreach(architecture 75 80 86 89 90 100 110 120)
    if(known MATCHES "sm_${architecture}(\n|$)")
      list(APPEND CMAKE_CUDA_ARCHITECTURES ${architecture}-real)
      set(newest ${architecture})
    endif()
  endforeach()
  list(APPEND CMAKE_CUDA_ARCHITECTURES ${newest}-virtual)
endif()
message(STATUS "CUDA architectures: ${CMAKE_CUDA_ARCHITECTURES}")
