//! Whether hardware is to be had. Here it always is.

use async_graphql::{InputObject, Object, SimpleObject};
use flash_core::manifest::Catalogue;

/// A GPU type.
pub(super) struct GpuType(pub(super) String);

/// A price, and how much there is.
#[derive(SimpleObject)]
pub(super) struct LowestPrice {
    stock_status: String,
}

/// Which types.
#[derive(InputObject)]
pub(super) struct GpuTypeFilter {
    pub(super) ids: Option<Vec<String>>,
    pub(super) id: Option<String>,
}

/// What a price is asked for.
#[derive(InputObject)]
pub(super) struct GpuLowestPriceInput {
    #[graphql(name = "dataCenterId")]
    _data_center_id: Option<String>,
    #[graphql(name = "gpuCount")]
    _gpu_count: Option<u32>,
    #[graphql(name = "secureCloud")]
    _secure_cloud: Option<bool>,
    #[graphql(name = "includeAiApi")]
    _include_ai_api: Option<bool>,
    #[graphql(name = "allowedCudaVersions")]
    _allowed_cuda_versions: Option<Vec<String>>,
    #[graphql(name = "compliance")]
    _compliance: Option<Vec<String>>,
}

/// A CPU flavour.
pub(super) struct CpuFlavor(pub(super) String);

/// Which flavour.
#[derive(InputObject)]
pub(super) struct CpuFlavorInput {
    pub(super) id: Option<String>,
}

/// What of it.
#[derive(InputObject)]
pub(super) struct SpecificsInput {
    #[graphql(name = "dataCenterId")]
    _data_center_id: Option<String>,
    #[graphql(name = "instanceId")]
    _instance_id: Option<String>,
}

/// A machine of a flavour.
#[derive(SimpleObject)]
pub(super) struct Specifics {
    stock_status: String,
}

#[Object]
impl GpuType {
    async fn id(&self) -> &str {
        &self.0
    }

    async fn lowest_price(
        &self,
        #[graphql(name = "input")] _input: Option<GpuLowestPriceInput>,
    ) -> LowestPrice {
        LowestPrice { stock_status: "High".to_owned() }
    }
}

#[Object]
impl CpuFlavor {
    async fn id(&self) -> &str {
        &self.0
    }

    async fn specifics(&self, #[graphql(name = "input")] _input: Option<SpecificsInput>) -> Specifics {
        Specifics { stock_status: "High".to_owned() }
    }
}

pub(super) fn gpu_types(filter: Option<GpuTypeFilter>) -> Vec<GpuType> {
    let wanted: Vec<String> = filter
        .into_iter()
        .flat_map(|filter| filter.ids.unwrap_or_default().into_iter().chain(filter.id))
        .collect();
    let pools = Catalogue::bundled().gpu_pools.iter();
    let all = pools.flat_map(|pool| pool.types.iter().chain([&pool.id]));
    all.filter(|id| wanted.is_empty() || wanted.contains(id)).map(|id| GpuType(id.clone())).collect()
}

pub(super) fn cpu_flavors(input: Option<CpuFlavorInput>) -> Vec<CpuFlavor> {
    let wanted = input.and_then(|input| input.id);
    let mut all: Vec<&str> =
        Catalogue::bundled().cpu_instances.iter().filter_map(|id| id.split('-').next()).collect();
    all.dedup();
    let fits = |id: &&str| wanted.as_ref().is_none_or(|wanted| wanted == id);
    all.into_iter().filter(fits).map(|id| CpuFlavor(id.to_owned())).collect()
}
