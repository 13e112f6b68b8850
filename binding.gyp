{
  "variables": {
    "core_flags": ["-std=c++20", "-O3", "-Wall", "-Wextra", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fvisibility=hidden"]
  },
  "target_defaults": {
    "include_dirs": ["native"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["<@(core_flags)"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "CLANG_CXX_LIBRARY": "libc++",
      "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
      "MACOSX_DEPLOYMENT_TARGET": "12.0",
      "OTHER_CPLUSPLUSFLAGS": ["<@(core_flags)"]
    }
  },
  "targets": [
    {
      "target_name": "kernels_baseline",
      "type": "static_library",
      "sources": ["native/core/kernels/baseline.cc"]
    },
    {
      "target_name": "sonospike",
      "dependencies": [
        "kernels_baseline",
        "<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"
      ],
      "defines": ["NAPI_VERSION=8", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "sources": [
        "native/addon/addon.cc",
        "native/addon/feature_store.cc",
        "native/addon/jobs.cc",
        "native/addon/model.cc",
        "native/addon/model_tools.cc",
        "native/addon/named_arrays.cc",
        "native/addon/network_settings.cc",
        "native/addon/settings.cc",
        "native/addon/stream.cc",
        "native/addon/tools.cc",
        "native/addon/trainer.cc",
        "native/core/augmentation/augmenter.cc",
        "native/core/augmentation/bands.cc",
        "native/core/augmentation/negatives.cc",
        "native/core/augmentation/noise.cc",
        "native/core/augmentation/speed.cc",
        "native/core/encoding/encoder.cc",
        "native/core/frontend/dct.cc",
        "native/core/frontend/feature_extractor.cc",
        "native/core/frontend/fft.cc",
        "native/core/frontend/front_end.cc",
        "native/core/frontend/mel.cc",
        "native/core/frontend/resampler.cc",
        "native/core/frontend/scaling.cc",
        "native/core/frontend/window.cc",
        "native/core/kernels/dispatch.cc",
        "native/core/network/activity.cc",
        "native/core/network/band_connection.cc",
        "native/core/network/connection.cc",
        "native/core/network/cpu_backend.cc",
        "native/core/network/dense_connection.cc",
        "native/core/network/lif_layer.cc",
        "native/core/network/loss.cc",
        "native/core/network/network_pass.cc",
        "native/core/network/network_pass_backward.cc",
        "native/core/network/parameters.cc",
        "native/core/network/products.cc",
        "native/core/network/readout.cc",
        "native/core/network/recognizer.cc",
        "native/core/stream/band_levels.cc",
        "native/core/stream/confidence.cc",
        "native/core/stream/noise_floor.cc",
        "native/core/stream/pcm.cc",
        "native/core/stream/word_divider.cc",
        "native/core/stream/word_finder.cc",
        "native/core/support/thread_pool.cc",
        "native/core/training/feature_store.cc",
        "native/core/training/trainer.cc"
      ],
      "conditions": [
        ["target_arch=='x64'", { "dependencies": ["kernels_avx2", "kernels_avx512"] }]
      ]
    }
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "kernels_avx2",
          "type": "static_library",
          "sources": ["native/core/kernels/avx2.cc"],
          "cflags_cc": ["-mavx2", "-mfma"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<@(core_flags)", "-mavx2", "-mfma"] }
        },
        {
          "target_name": "kernels_avx512",
          "type": "static_library",
          "sources": ["native/core/kernels/avx512.cc"],
          "cflags_cc": ["-mavx2", "-mfma", "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<@(core_flags)", "-mavx2", "-mfma", "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl"] }
        }
      ]
    }]
  ]
}
