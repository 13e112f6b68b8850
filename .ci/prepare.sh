# Sourced by run and full: installs what they need and sets the environment of the builds.
need=()
command -v chromium >/dev/null || need+=(chromium)
command -v cmake >/dev/null || need+=(cmake)
command -v clang-format >/dev/null || need+=(clang-format)
command -v g++ >/dev/null || need+=(g++)
command -v make >/dev/null || need+=(make)
command -v python3 >/dev/null || need+=(python3)
python3 -c 'import ensurepip' 2>/dev/null || need+=(python3-venv)
[ -f /usr/include/doctest/doctest.h ] || [ -f /usr/local/include/doctest/doctest.h ] || need+=(doctest-dev)
command -v pulseaudio >/dev/null || need+=(pulseaudio)
command -v paplay >/dev/null || need+=(pulseaudio-utils)

# Installs packages of Debian.
install_packages() {
  local sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  $sudo apt-get update -q
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends "$@"
}
[ ${#need[@]} = 0 ] || install_packages "${need[@]}"

# Node's headers lie beside it in most installations; node-gyp would fetch them from the network.
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
if [ -z "${npm_config_nodedir:-}" ] && [ -f "$prefix/include/node/node_api.h" ]; then
  export npm_config_nodedir=$prefix
fi

# CUDA code is compiled on every machine: where there is no nvcc, NVIDIA's packages from PyPI make a toolkit.
if ! command -v nvcc >/dev/null; then
  toolkit=$PWD/build-cuda-toolkit
  if [ ! -x "$toolkit/bin/pip" ]; then python3 -m venv "$toolkit"; fi
  "$toolkit/bin/pip" install -q nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
  cuda=$(echo "$toolkit"/lib/python3*/site-packages/nvidia/cu13)
  [ -e "$cuda/lib64" ] || ln -s lib "$cuda/lib64"  # where nvcc and CMake look
  export PATH="$cuda/bin:$PATH" CUDACXX="$cuda/bin/nvcc" CUDA_PATH="$cuda"
fi
